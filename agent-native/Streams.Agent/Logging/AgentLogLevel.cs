namespace Streams.Agent.Logging;

internal enum AgentLogLevel
{
    Debug,
    Info,
    Warn,
    Error,
}
