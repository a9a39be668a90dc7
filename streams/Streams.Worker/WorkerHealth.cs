namespace Streams.Worker;

/// <summary>What one partition is doing.</summary>
public enum PartitionState
{
    /// <summary>Waits for its lease or reads back what ClickHouse holds.</summary>
    Recovering,
    Running,

    /// <summary>Its pipeline ended with an error and waits before it recovers.</summary>
    Failed,
    Stopped,
}

/// <param name="Partition">Number of the partition.</param>
/// <param name="Committed">Last stream sequence that is committed in this life; 0 before the first.</param>
/// <param name="Failures">Pipelines that ended with an error.</param>
/// <param name="LastFailure">Why the last one did; null when none did.</param>
/// <param name="Load">What it holds now.</param>
public sealed record PartitionHealth(int Partition, PartitionState State, ulong Committed, long Failures, string? LastFailure, PartitionLoad Load);

/// <summary>What a partition's pipeline holds that is not committed, all zero while none runs.</summary>
/// <param name="ReadAheadBytes">Payload read from the queue and not yet decoded; bound: the reader's 8 MiB.</param>
/// <param name="Batches">Decoded batches; bound: the rows and bytes of the open ranges and of the one that grows.</param>
/// <param name="OpenRanges">Ranges between closing and commit; bound: <see cref="WorkerOptions.OpenRanges"/>.</param>
public readonly record struct PartitionLoad(long ReadAheadBytes, int Batches, int OpenRanges);

/// <summary>What the worker answers to <c>/healthz</c>.</summary>
/// <param name="Healthy">True when every partition runs.</param>
/// <param name="Detail">One line.</param>
public sealed record WorkerHealth(bool Healthy, string Detail, IReadOnlyList<PartitionHealth> Partitions);
