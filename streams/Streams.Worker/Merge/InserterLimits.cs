namespace Streams.Worker.Merge;

/// <summary>Bounds of the inserter.</summary>
internal sealed record InserterLimits
{
    /// <summary>Rows of a round, hence of a block. Below 1,048,449, where ClickHouse would cut a block in two parts.</summary>
    public int MaxRows { get; init; } = 1_000_000;

    /// <summary>Bytes of a round, decoded and as received: a Native block must stay below 200 MiB, and server columns cost 42 bytes a row
    /// more.</summary>
    public long MaxBytes { get; init; } = 128L << 20;

    /// <summary>Rounds in flight: one is encoded and sent while the other's ledger rows are on their way.</summary>
    public int Rounds { get; init; } = 2;

    /// <summary>
    /// How long a round waits for the other partitions: their ranges close at the same tick, and what separates them is decoding and
    /// thread scheduling.
    /// </summary>
    public TimeSpan Gather { get; init; } = TimeSpan.FromMilliseconds(20);
}
