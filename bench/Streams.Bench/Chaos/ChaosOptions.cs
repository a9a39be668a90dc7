using Streams.Bench.Chaos.Running;

namespace Streams.Bench.Chaos;

/// <summary>What a chaos run was asked for.</summary>
internal sealed record ChaosOptions
{
    /// <summary>Random faults: gateway and worker are two processes, each killed alone.</summary>
    public bool WorkerApart { get; init; }

    public required string Profile { get; init; }

    /// <summary>Random faults; profiles of one kind have their own number unless this is given.</summary>
    public int? Faults { get; init; }

    public required int Seed { get; init; }

    /// <summary>Events a second of all sources together.</summary>
    public required int Rate { get; init; }

    public required int Sources { get; init; }

    /// <summary>A tenth of the profile's durations: for CI.</summary>
    public required bool Short { get; init; }

    /// <summary>Size of a disk of its own for the servers' data, MiB; 0 uses the directory's disk.</summary>
    public required int DiskMebibytes { get; init; }

    /// <summary>Leave data and logs in place.</summary>
    public required bool Keep { get; init; }

    public string? Json { get; init; }

    /// <summary>Servers that are not the harness's to stop; null starts its own.</summary>
    public ExternalServers? External { get; init; }
}
