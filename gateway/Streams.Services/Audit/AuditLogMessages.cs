using Microsoft.Extensions.Logging;

namespace Streams.Services.Audit;

internal static partial class AuditLogMessages
{
    [LoggerMessage(6120, LogLevel.Information, "{Actor} ({Role}) {Action} {Target}: {Outcome}, from {Source}")]
    public static partial void Audited(this ILogger logger, string actor, string role, string action, string target, string outcome, string source);

    [LoggerMessage(6122, LogLevel.Warning, "the token of the file could not be kept, which is tried again: {Reason}")]
    public static partial void TokenNotKept(this ILogger logger, string reason);

    [LoggerMessage(6121, LogLevel.Error, "system alert: no room for the audit row of {Action}")]
    public static partial void AuditDropped(this ILogger logger, string action);
}
