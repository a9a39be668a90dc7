namespace Streams.Gateway.Ingest;

/// <summary>How a data frame's way through the gateway ended. Also a bounded metric label.</summary>
internal enum FrameFate : byte
{
    /// <summary>The queue has it.</summary>
    Stored = 0,

    /// <summary>All its batches were committed or in the queue already.</summary>
    Duplicate,

    /// <summary>It did not decrypt, or not in order.</summary>
    NotOpened,

    /// <summary>What it holds is not whole, consecutive batches of one lane, padded with zeros.</summary>
    Malformed,

    /// <summary>More open lanes than a session may have.</summary>
    TooManyLanes,

    /// <summary>Batches are missing before it: the agent was told to go back, and this was sent before it heard.</summary>
    Gap,

    /// <summary>Its lane went back after it was admitted: it comes again.</summary>
    Rewound,

    /// <summary>Its lane waits for a server that knows its class.</summary>
    Held,

    /// <summary>Its session was displaced: it publishes no more.</summary>
    Displaced,

    /// <summary>The graph ended while it was inside.</summary>
    GraphFailed,

    /// <summary>The gateway stopped before the queue had it.</summary>
    Stopped,
}

internal static class FrameFates
{
    public static string Label(this FrameFate fate) => fate switch
    {
        FrameFate.Stored => "stored",
        FrameFate.Duplicate => "duplicate",
        FrameFate.NotOpened => "not_opened",
        FrameFate.Malformed => "malformed",
        FrameFate.TooManyLanes => "too_many_lanes",
        FrameFate.Gap => "gap",
        FrameFate.Rewound => "rewound",
        FrameFate.Held => "held",
        FrameFate.Displaced => "displaced",
        FrameFate.GraphFailed => "graph_failed",
        FrameFate.Stopped => "stopped",
        _ => "unknown",
    };
}
