namespace Streams.Agent.CommandLine;

internal enum AgentVerb
{
    Run,
    Doctor,
    Status,
    Spool,
    Enrol,
    RotateKey,
    PrintConfig,
    Version,
    Help,
}
