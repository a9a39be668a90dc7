using Streams.Worker.Decode;

namespace Streams.Worker.Commit;

/// <summary>A batch of a range in flight, with the life of the partition it belongs to.</summary>
internal readonly record struct PendingBatch(StagedBatch Batch, PartitionFence Fence);
