namespace Streams.AgentLink;

/// <summary>What happened on the link.</summary>
public enum LinkEventKind
{
    Connected,
    Disconnected,

    /// <summary>The handshake failed; the detail names the reason as this side knows it.</summary>
    Refused,

    /// <summary>Certificate dates were not checked because the clock is not trusted.</summary>
    DatesNotChecked,

    /// <summary>F0 named fewer committed batches of a lane than were freed: the server lost data; tombstones take the place.</summary>
    LaneRegressed,

    /// <summary>F0 named more batches of this epoch than were ever sent: the process was cloned.</summary>
    LaneAhead,

    /// <summary>The spool's disk refuses: batches are kept in memory.</summary>
    SpoolRefused,

    /// <summary>It takes them again.</summary>
    SpoolAccepted,

    /// <summary>Batches became tombstones: their class's quota was full, or they could not be read back.</summary>
    SpoolLoss,

    /// <summary>Traffic keys could not be locked into memory (RLIMIT_MEMLOCK).</summary>
    KeysNotLocked,

    /// <summary>A control message of the gateway was not taken, or one of ours not by it; the detail says which and why.</summary>
    MessageRefused,

    /// <summary>The gateway showed a list of revoked gateways that no pinned root has signed.</summary>
    RevocationsRefused,
}

/// <param name="Detail">One line for the log.</param>
/// <param name="RetryIn">Time until the next attempt, when there is one.</param>
public readonly record struct LinkEvent(LinkEventKind Kind, string Detail, TimeSpan RetryIn = default);
