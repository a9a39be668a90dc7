using Microsoft.Extensions.Logging;

namespace Streams.Services;

/// <summary>What the role itself logs; event ids 6000-6009.</summary>
internal static partial class ServicesLog
{
    [LoggerMessage(6000, LogLevel.Information, "services started as {AgentId}")]
    public static partial void ServicesStarted(this ILogger logger, string agentId);

    [LoggerMessage(6001, LogLevel.Information, "services stopped")]
    public static partial void ServicesStopped(this ILogger logger);

    [LoggerMessage(6002, LogLevel.Warning, "services stopped before all of their rows were stored; what the queue has follows, the rest is gone")]
    public static partial void RowsLeft(this ILogger logger);
}
