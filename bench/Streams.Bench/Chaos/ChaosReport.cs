namespace Streams.Bench.Chaos;

/// <summary>What a chaos run showed; `--json` writes it as one object.</summary>
internal sealed record ChaosReport
{
    public required string Profile { get; init; }

    public required int Seed { get; init; }

    /// <summary>Events a second of all sources together.</summary>
    public required int Rate { get; init; }

    public required int Faults { get; init; }

    public required IReadOnlyDictionary<string, int> FaultsByKind { get; init; }

    public required long Emitted { get; init; }

    public required long Stored { get; init; }

    /// <summary>Events of killed sources that had not heard whether they were taken over.</summary>
    public required long InDoubt { get; init; }

    public required long Lost { get; init; }

    public required long Doubled { get; init; }

    public required long Reordered { get; init; }

    public required long Altered { get; init; }

    public required long Unaccounted { get; init; }

    public required IReadOnlyDictionary<string, long> CountedLosses { get; init; }

    public required double RecoveryP50Seconds { get; init; }

    public required double RecoveryP99Seconds { get; init; }

    /// <summary>Highest resident memory of one process of the system (sources are not of it).</summary>
    public required long MaxRssBytes { get; init; }

    public required IReadOnlyDictionary<string, long> RssBytes { get; init; }

    public required long PeakQueueBytes { get; init; }

    public required long PeakUncommittedBytes { get; init; }

    /// <summary>The most that one `streams serve` held, by the name at its metrics endpoint.</summary>
    public required IReadOnlyDictionary<string, long> PeakHeld { get; init; }

    /// <summary>Highest rate of committed rows over two seconds or more.</summary>
    public required double CatchUpRowsPerSecond { get; init; }

    public required IReadOnlyList<string> UnexpectedExits { get; init; }

    /// <summary>How often nats-server ran and answered nothing, and was started again.</summary>
    public required int QueueWedged { get; init; }

    /// <summary>What did not hold: of the profile's assertions and of the checkers; empty when the run passed.</summary>
    public required IReadOnlyList<string> Failures { get; init; }
}
