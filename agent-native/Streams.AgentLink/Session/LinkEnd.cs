using Streams.Wire;
using Streams.Wire.Handshake;
using Streams.Wire.Messages;

namespace Streams.AgentLink.Session;

/// <summary>Why a connection ended; decides how soon the next is tried.</summary>
internal enum LinkEndReason
{
    /// <summary>TCP or the upgrade failed.</summary>
    NotReached,

    /// <summary>The handshake ended without a session.</summary>
    Refused,

    /// <summary>The connection broke or was closed by the gateway.</summary>
    Closed,

    /// <summary>The gateway said goodbye.</summary>
    Goodbye,

    /// <summary>Three heartbeats in a row did not come.</summary>
    HeartbeatLost,

    /// <summary>The gateway broke the protocol.</summary>
    Protocol,

    /// <summary>The session reached its age; a new one follows at once.</summary>
    Expired,

    /// <summary>This program stops.</summary>
    Stopped,
}

/// <param name="Detail">One line for the log.</param>
/// <param name="Refusal">With <see cref="LinkEndReason.Refused"/>.</param>
/// <param name="RetryAfter">The gateway's wish, zero when it had none.</param>
internal sealed record LinkEnd(
    LinkEndReason Reason, string Detail, RefusalReason Refusal = RefusalReason.None, TimeSpan RetryAfter = default, CloseCode Close = CloseCode.Normal)
{
    private const uint MaxRetryMilliseconds = 3_600_000;

    internal static LinkEnd Of(GoodbyeMessage goodbye) => new(
        LinkEndReason.Goodbye, $"goodbye: {goodbye.Reason}", RetryAfter: TimeSpan.FromMilliseconds(Math.Min(goodbye.RetryAfterMilliseconds, MaxRetryMilliseconds)));
}
