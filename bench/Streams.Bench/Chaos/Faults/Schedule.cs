namespace Streams.Bench.Chaos.Faults;

/// <summary>The faults of a run: a pure function of the seed, so that a run can be had again.</summary>
internal static class Schedule
{
    /// <summary>What is done to NATS and ClickHouse or their disk.</summary>
    private static readonly FaultKind[] OfServers =
    [
        FaultKind.KillNats, FaultKind.PauseNats, FaultKind.RestartNats, FaultKind.KillClickHouse, FaultKind.PauseClickHouse,
        FaultKind.RestartClickHouse, FaultKind.SlowClickHouse, FaultKind.TailLoss, FaultKind.Wipe, FaultKind.DiskFull, FaultKind.SwitchGateway,
    ];

    private static readonly FaultKind[] Everywhere =
    [
        FaultKind.KillSource, FaultKind.PauseSource, FaultKind.KillServe, FaultKind.PauseServe, FaultKind.RestartServe, FaultKind.KillNats,
        FaultKind.PauseNats, FaultKind.RestartNats, FaultKind.KillClickHouse, FaultKind.PauseClickHouse, FaultKind.RestartClickHouse,
        FaultKind.SlowClickHouse, FaultKind.CutNetwork, FaultKind.HoldNetwork, FaultKind.Clock1970, FaultKind.Clock2106,
            FaultKind.TailLoss, FaultKind.Wipe, FaultKind.RestartSource,
    ];

    private static readonly FaultKind[] OfWorkers = [FaultKind.KillWorker, FaultKind.PauseWorker, FaultKind.RestartWorker];

    /// <summary>Random faults: each block of as many as there are kinds holds every kind once, in random order.</summary>
    /// <param name="full">Whether the disk may be filled too.</param>
    /// <param name="workerApart">The worker is a process of its own, so it can be what a fault is done to.</param>
    /// <param name="external">NATS and ClickHouse are somebody else's: nothing is done to them.</param>
    public static IReadOnlyList<Fault> Random(int count, int seed, int sources, bool full, bool external, bool workerApart)
    {
        // Not System.Random without a seed, and not its default algorithm's state across versions: both are fixed by the seeded
        // constructor.
        var random = new Random(seed);
        var kinds = Everywhere.Concat(full ? [FaultKind.DiskFull] : []).Concat(workerApart ? OfWorkers : [])
            .Where(kind => !external || !IsOfServers(kind)).ToArray();
        var faults = new List<Fault>(count);
        while (faults.Count < count)
        {
            random.Shuffle(kinds);
            foreach (var kind in kinds.Take(count - faults.Count))
            {
                faults.Add(new Fault(kind, random.Next(sources), Seconds(random, 0.2, LongestOf(kind)), Seconds(random, 0.2, 2)));
            }
        }

        return faults;
    }

    public static bool IsOfServers(FaultKind kind) => OfServers.Contains(kind);

    /// <summary>The same fault again and again.</summary>
    public static IReadOnlyList<Fault> Repeat(FaultKind kind, int count, int seed, int sources, double shortest, double longest, double? gap = null)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => new Fault(kind, random.Next(sources), Seconds(random, shortest, longest),
            Seconds(random, gap ?? 0.5, gap ?? 3)))];
    }

    private static double LongestOf(FaultKind kind) => kind switch
    {
        // Longer than a lease, so that others take over from a process that comes back.
        FaultKind.PauseServe or FaultKind.PauseWorker => 15,
        FaultKind.PauseSource or FaultKind.PauseNats or FaultKind.PauseClickHouse or FaultKind.SlowClickHouse => 6,
        FaultKind.CutNetwork or FaultKind.HoldNetwork or FaultKind.DiskFull => 8,
        FaultKind.Clock1970 or FaultKind.Clock2106 => 4,
        _ => 2,
    };

    private static TimeSpan Seconds(Random random, double from, double to) => TimeSpan.FromSeconds(from
        + random.NextDouble() * (to - from));
}
