namespace Streams.Stages;

/// <summary>What a supervised graph is doing.</summary>
public enum GraphState
{
    /// <summary>Not started yet, or being materialised (recovery included).</summary>
    Starting,
    Running,

    /// <summary>It ended without being asked to; the next attempt waits for its back-off.</summary>
    Waiting,

    /// <summary>Stopped on request; final.</summary>
    Stopped,
}
