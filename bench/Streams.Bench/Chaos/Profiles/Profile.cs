using Streams.Bench.Chaos.Faults;

namespace Streams.Bench.Chaos.Profiles;

/// <summary>What a named run does beyond load, drain and verdict.</summary>
internal sealed record Profile
{
    public required IReadOnlyList<Fault> Faults { get; init; }

    public int Gateways { get; init; } = 1;

    /// <summary>Gateways have no worker in their process: one more process has.</summary>
    public bool WorkerApart { get; init; }

    /// <summary>Causes by which rows may be counted as lost; none unless it is the profile's purpose.</summary>
    public IReadOnlyCollection<string> ExpectedLosses { get; init; } = [];

    /// <summary>Agents that each source's process plays.</summary>
    public int AgentsPerSource { get; init; } = 1;

    /// <summary>What each source's connection carries towards the gateway; 0 = no limit.</summary>
    public int UplinkBytesPerSecond { get; init; }

    /// <summary>Looked at while a fault lasts. Adds to the run's failures.</summary>
    public Func<ChaosRun, Fault, CancellationToken, Task>? During { get; init; }

    /// <summary>Steps that are not faults of the schedule, after them.</summary>
    public Func<ChaosRun, CancellationToken, Task>? Act { get; init; }

    /// <summary>What must hold besides the verdict; looked at after the drain. Adds to the run's failures.</summary>
    public Func<ChaosRun, CancellationToken, Task>? Assert { get; init; }
}
