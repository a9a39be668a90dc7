namespace Streams.Agent.CommandLine;

internal enum AgentVerb
{
    Run,
    Doctor,
    Status,
    Spool,
    PrintConfig,
    Version,
    Help,
}
