namespace Streams.Agent.CommandLine;

internal enum AgentVerb
{
    Run,
    Doctor,
    Status,
    PrintConfig,
    Version,
    Help,
}
