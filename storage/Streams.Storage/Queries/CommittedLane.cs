using Streams.Schema;

namespace Streams.Storage;

/// <summary>What the ledger proves about a lane.</summary>
/// <param name="Committed">Largest committed batch plus one: the watermark.</param>
/// <param name="LastReceivedAt">received_at of its last ledger row, microseconds: read-backs begin at this day.</param>
public readonly record struct CommittedLane(string AgentId, Epoch Epoch, uint Lane, uint Committed, long LastReceivedAt);
