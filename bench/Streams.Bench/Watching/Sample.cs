namespace Streams.Bench.Watching;

/// <summary>One look at a run, about once a second. Counts run since the clock started.</summary>
internal sealed record Sample
{
    /// <summary>Since the start of the load.</summary>
    public required double Seconds { get; init; }

    public required long Offered { get; init; }

    public required long Accepted { get; init; }

    /// <summary>Rows of the event tables that are new since the start.</summary>
    public required long Rows { get; init; }

    public required long ActiveParts { get; init; }

    public required long RunningMerges { get; init; }

    public required double BehindSeconds { get; init; }

    public required long LoadAllocated { get; init; }

    /// <summary>Bytes that `streams serve` has allocated since it started; null when it was not asked.</summary>
    public long? ServeAllocated { get; init; }

    /// <summary>CPU seconds used since the process started, by name.</summary>
    public required IReadOnlyDictionary<string, double> Cpu { get; init; }

    /// <summary>Resident bytes by name.</summary>
    public required IReadOnlyDictionary<string, long> Resident { get; init; }
}
