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
public readonly record struct FlowRecord(FlowKind Kind, string AgentId, Epoch Epoch, uint Lane, uint N);
