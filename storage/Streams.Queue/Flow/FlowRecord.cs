using Streams.Schema;

namespace Streams.Queue;

/// <summary>What a worker says about a lane. On the wire: append only.</summary>
public enum FlowKind : byte
{
    /// <summary>The lane's first N batches are committed.</summary>
    Watermark = 1,

    /// <summary>Batch N was expected and did not come: send again from there.</summary>
    Rewind = 2,

    /// <summary>Batch N is of a class or schema version that this worker does not know: it is kept by the agent, other lanes go on.</summary>
    Hold = 3,
}

/// <summary>One statement about one lane of one agent.</summary>
/// <param name="Kind">What is said.</param>
/// <param name="AgentId">The agent.</param>
/// <param name="Epoch">Its epoch.</param>
/// <param name="Lane">The lane.</param>
/// <param name="N">Number of committed batches (the next expected one), or where to go back to.</param>
public readonly record struct FlowRecord(FlowKind Kind, string AgentId, Epoch Epoch, uint Lane, uint N)
{
    /// <summary>Lanes that an answer names at most; with as many, a lane that is not named may still be known.</summary>
    public const int MaxAnswerLanes = 128;

    /// <summary>
    /// Part of an answer: everything that the queue had is read, so that a lane which the answer does not name is one that the worker
    /// never saw a batch of. A rewind of the epoch that nobody may use, which tells nothing to those who do not know it.
    /// </summary>
    public static FlowRecord CaughtUp(string agentId) => new(FlowKind.Rewind, agentId, default, 0, 0);

    /// <summary>Whether this is <see cref="CaughtUp"/> and speaks of no lane.</summary>
    public bool IsCaughtUp => Kind == FlowKind.Rewind && Epoch.IsZero;
}
