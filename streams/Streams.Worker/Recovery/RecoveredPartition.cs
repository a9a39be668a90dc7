using Streams.Schema;
using Streams.Worker.Admission;

namespace Streams.Worker.Recovery;

/// <summary>A lane as the ledger has it: the batches below <paramref name="Committed"/> are there.</summary>
internal readonly record struct RecoveredLane(LaneKey Key, Epoch Epoch, uint Committed);

/// <summary>What ClickHouse holds of one partition; the only evidence of what is committed.</summary>
internal sealed record RecoveredPartition(IReadOnlyList<RecoveredLane> Lanes, StoredBatches Stored);
