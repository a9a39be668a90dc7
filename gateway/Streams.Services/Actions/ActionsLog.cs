using Microsoft.Extensions.Logging;

namespace Streams.Services.Actions;

internal static partial class ActionsLog
{
    [LoggerMessage(6130, LogLevel.Information, "command {CommandId} {Kind} for {AgentId}: {State} {Detail}")]
    public static partial void CommandMoved(this ILogger logger, string commandId, string kind, string agentId, string state, string detail);

    [LoggerMessage(6131, LogLevel.Error, "system alert: no room for the row of command {CommandId} for {AgentId}: {State}")]
    public static partial void CommandRowDropped(this ILogger logger, string commandId, string agentId, string state);

    [LoggerMessage(6132, LogLevel.Warning, "a response of {AgentId} is not one: {Bytes} bytes")]
    public static partial void ResponseMalformed(this ILogger logger, string agentId, int bytes);

    [LoggerMessage(6133, LogLevel.Debug, "{AgentId} spoke of command {CommandId}, which it was not given in that form or which has ended: {State}")]
    public static partial void ResponseIgnored(this ILogger logger, string agentId, string commandId, string state);

    [LoggerMessage(6135, LogLevel.Warning, "an answer to command {CommandId} is not signed with {AgentId}'s key, and not believed: {State}. Is a gateway captured?")]
    public static partial void ResponseUnsigned(this ILogger logger, string agentId, string commandId, string state);

    [LoggerMessage(6136, LogLevel.Warning, "{AgentId} got command {CommandId} with a signature that is not ours, and refused it; it still waits. Is a gateway captured?")]
    public static partial void CommandAltered(this ILogger logger, string agentId, string commandId);

    [LoggerMessage(6134, LogLevel.Warning, "the sweep of commands failed and is tried again: {Reason}")]
    public static partial void SweepFailed(this ILogger logger, string reason);
}
