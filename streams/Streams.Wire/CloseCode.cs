namespace Streams.Wire;

/// <summary>WebSocket close codes (RFC 6455 private range). Numbers are append only.</summary>
public enum CloseCode : ushort
{
    /// <summary>Clean end by either side.</summary>
    Normal = 1000,

    /// <summary>Every refusal before a session exists; the reason is only in the refusing side's log.</summary>
    Refused = 4400,

    /// <summary>A frame that does not open, is out of order, or breaks a bound.</summary>
    Protocol = 4401,

    /// <summary>A data frame above the granted offset.</summary>
    CreditExceeded = 4402,

    /// <summary>A later session of the same agent took over.</summary>
    Displaced = 4403,

    /// <summary>Three heartbeats in a row were missing.</summary>
    HeartbeatLost = 4404,

    /// <summary>The gateway drains; reconnect after the goodbye's retry_after.</summary>
    Draining = 4405,

    /// <summary>The session is too old; handshake again at once.</summary>
    SessionExpired = 4406,

    /// <summary>Frames that had come were dropped; reconnect and send again from F0's watermarks.</summary>
    Resume = 4407,

    /// <summary>The gateway cannot admit sessions now (its store is away).</summary>
    Unavailable = 4408,

    /// <summary>The agent sends more than the gateway takes from one agent; reconnect after the goodbye's retry_after.</summary>
    LimitExceeded = 4409,
}
