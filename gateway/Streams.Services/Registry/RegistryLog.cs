using Microsoft.Extensions.Logging;
using Streams.Control.Identity;

namespace Streams.Services.Registry;

/// <summary>What the Registry logs. Event ids 6100-6149; never a secret.</summary>
internal static partial class RegistryLog
{
    [LoggerMessage(6100, LogLevel.Information, "{Agent} was let in by token {Token}, from {Source}")]
    public static partial void Enrolled(this ILogger logger, string agent, string token, string source);

    [LoggerMessage(6101, LogLevel.Warning, "Enrolment with token {Token} from {Source} refused: {Reason}")]
    public static partial void EnrolmentRefused(this ILogger logger, string token, string source, RegistryRefusal reason);

    [LoggerMessage(6102, LogLevel.Information, "{Agent} has a new key; the old one is good until the first session under it")]
    public static partial void KeyRotated(this ILogger logger, string agent);

    [LoggerMessage(6103, LogLevel.Warning, "Key rotation of {Agent} from {Source} refused: {Reason}")]
    public static partial void RotationRefused(this ILogger logger, string agent, string source, RegistryRefusal reason);

    [LoggerMessage(6104, LogLevel.Warning, "{Agent} is in quarantine: {Sign}, from {Source}; `streams agents release {Agent}` ends it")]
    public static partial void Quarantined(this ILogger logger, string agent, string sign, string source);

    [LoggerMessage(6105, LogLevel.Warning, "{Count} identities are in the bucket again, from the rows of agent_identity: it was made anew")]
    public static partial void Restored(this ILogger logger, int count);

    [LoggerMessage(6106, LogLevel.Warning, "Identities are not kept as rows now, trying again: {Reason}")]
    public static partial void JournalFailed(this ILogger logger, string reason);

    [LoggerMessage(6107, LogLevel.Warning, "{File} cannot be used, and what the queue has in its place is left as it is: {Reason}")]
    public static partial void StatementUnreadable(this ILogger logger, string file, string reason);

    [LoggerMessage(6108, LogLevel.Warning, "The queue had no list of revoked certificates, or an older one: list {Version} with {Count} serials is in it again")]
    public static partial void RevocationsPutBack(this ILogger logger, int count, ulong version);

    [LoggerMessage(6111, LogLevel.Warning, "The queue had no statement about the next fleet root, or an older one: statement {Version} is in it again")]
    public static partial void SuccessionPutBack(this ILogger logger, ulong version);

    [LoggerMessage(6109, LogLevel.Warning, "{Agent} is not put into quarantine for {Sign} at {Gateway}: {Most} were within an hour. Is the gateway captured?")]
    public static partial void NotQuarantined(this ILogger logger, string agent, string sign, string gateway, int most);

    [LoggerMessage(6110, LogLevel.Information, "What gateway {Gateway} says of {Agent} is not taken: its newest session is elsewhere")]
    public static partial void NoticeRefused(this ILogger logger, string agent, string gateway);
}
