using Streams.Wire;
using Streams.Wire.Messages;

namespace Streams.Gateway.Sessions;

/// <summary>Why a session ended; the first reason wins. Doubles as a bounded metric label.</summary>
internal enum SessionEnd : byte
{
    None = 0,

    /// <summary>The connection broke: the agent or what is between was killed, or gave up.</summary>
    Disconnected,

    /// <summary>A frame did not open, was out of order, of a wrong type or broke a bound.</summary>
    Protocol,
    CreditExceeded,
    Displaced,
    HeartbeatLost,
    Expired,

    /// <summary>A started frame was not complete, or a sent one not taken, within 10 s.</summary>
    Slow,

    /// <summary>The graph that carried its data failed: send again.</summary>
    GraphFailed,

    /// <summary>The queue or the worker did not answer.</summary>
    Unavailable,
    Draining,

    /// <summary>The agent, or the key it came with, is let in no more.</summary>
    Revoked,

    /// <summary>A fault of the gateway itself.</summary>
    Internal,

    /// <summary>More messages than one agent may send (<see cref="GatewayOptions.AgentMessageRate"/>).</summary>
    MessageRate,

    /// <summary>More bytes than one agent may send (<see cref="GatewayOptions.AgentByteRate"/>).</summary>
    ByteRate,

    /// <summary>More signatures than are checked for one agent (<see cref="GatewayOptions.AgentSignatureRate"/>).</summary>
    SignatureRate,

    /// <summary>The agent closed with 1000: it stops.</summary>
    Closed,
}

internal static class SessionEnds
{
    /// <summary>What an agent's close says.</summary>
    /// <param name="code">Null: the connection broke without one.</param>
    public static SessionEnd OfClose(int? code) => (CloseCode?)code switch
    {
        CloseCode.Normal => SessionEnd.Closed,
        CloseCode.SessionExpired => SessionEnd.Expired,
        _ => SessionEnd.Disconnected,
    };

    /// <summary>What the agent is told in the last sealed frame; null when nothing can or need be said.</summary>
    public static GoodbyeReason? Goodbye(this SessionEnd end) => end switch
    {
        SessionEnd.Protocol or SessionEnd.CreditExceeded => GoodbyeReason.Protocol,
        SessionEnd.Displaced => GoodbyeReason.Displaced,
        SessionEnd.Expired => GoodbyeReason.Expired,
        SessionEnd.GraphFailed => GoodbyeReason.Resume,
        SessionEnd.Unavailable or SessionEnd.Internal => GoodbyeReason.Unavailable,
        SessionEnd.Draining => GoodbyeReason.Drain,
        SessionEnd.MessageRate or SessionEnd.ByteRate or SessionEnd.SignatureRate => GoodbyeReason.Limit,
        _ => null,
    };

    public static CloseCode Code(this SessionEnd end) => end switch
    {
        SessionEnd.Disconnected or SessionEnd.Closed => CloseCode.Normal,
        SessionEnd.CreditExceeded => CloseCode.CreditExceeded,
        // What every later attempt is told.
        SessionEnd.Revoked => CloseCode.Refused,
        SessionEnd.Displaced => CloseCode.Displaced,
        SessionEnd.HeartbeatLost => CloseCode.HeartbeatLost,
        SessionEnd.Expired => CloseCode.SessionExpired,
        SessionEnd.GraphFailed => CloseCode.Resume,
        SessionEnd.Unavailable or SessionEnd.Internal => CloseCode.Unavailable,
        SessionEnd.Draining => CloseCode.Draining,
        SessionEnd.MessageRate or SessionEnd.ByteRate or SessionEnd.SignatureRate => CloseCode.LimitExceeded,
        _ => CloseCode.Protocol,
    };

    /// <summary>How soon the agent may come back, ms; the agent adds its jitter.</summary>
    public static uint RetryAfter(this SessionEnd end) => end switch
    {
        SessionEnd.Unavailable or SessionEnd.Internal => 2000,
        // A clone that was displaced must not displace its twin at once, and so on for ever.
        SessionEnd.Displaced => 30_000,
        // Its bucket has something in it again by then, and an agent that knows no measure is quiet for longer than it was loud.
        SessionEnd.MessageRate or SessionEnd.ByteRate or SessionEnd.SignatureRate => 30_000,
        _ => 0,
    };

    /// <summary>Agents come and go: their rows say so, and two lines of log for each would cost a gateway a fifth of a session.</summary>
    public static bool IsOrdinary(this SessionEnd end) => end is SessionEnd.Closed or SessionEnd.Disconnected or SessionEnd.Expired;

    /// <summary>Bounded text for logs and metrics.</summary>
    public static string Label(this SessionEnd end) => end switch
    {
        SessionEnd.Disconnected => "disconnected",
        SessionEnd.Protocol => "protocol",
        SessionEnd.CreditExceeded => "credit_exceeded",
        SessionEnd.Displaced => "displaced",
        SessionEnd.HeartbeatLost => "heartbeat_lost",
        SessionEnd.Expired => "expired",
        SessionEnd.Slow => "slow",
        SessionEnd.GraphFailed => "graph_failed",
        SessionEnd.Unavailable => "unavailable",
        SessionEnd.Draining => "draining",
        SessionEnd.Revoked => "revoked",
        SessionEnd.Internal => "internal",
        SessionEnd.MessageRate => "message_rate",
        SessionEnd.ByteRate => "byte_rate",
        SessionEnd.SignatureRate => "signature_rate",
        SessionEnd.Closed => "closed",
        _ => "none",
    };
}
