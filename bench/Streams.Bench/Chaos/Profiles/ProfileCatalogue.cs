using Streams.Bench.Chaos.Faults;
using Streams.Bench.Running;

namespace Streams.Bench.Chaos.Profiles;

/// <summary>The profiles by name.</summary>
internal static class ProfileCatalogue
{
    /// <summary>The one that has the real agent and no sources.</summary>
    public const string Agent = "agent";

    private const double ShortBy = 10;

    public static IReadOnlyList<string> Names { get; } =
        ["random", "cut-2min", "agent-kill-50", "disk-full", "nats-away", "two-gateways", "wipe", "tail-loss", "clones",
            "restored-directory", "poison", "gateway-restarts", Agent];

    public static Profile Of(ChaosOptions options)
    {
        double Seconds(double full) => options.Short ? full / ShortBy : full;
        int Count(int full, int brief) => options.Faults ?? (options.Short ? brief : full);
        IReadOnlyList<Fault> Repeat(FaultKind kind, int full, int brief, double shortest, double longest) =>
            Schedule.Repeat(kind, Count(full, brief), options.Seed, options.Sources, shortest, longest);

        // Half of it when short: a tenth would be a backlog of a second, in which nothing could be told from the rest.
        var cut = options.Short ? 60 : 120;
        var manyPerSource = Math.Max(1, (options.Short ? 40 : 500) / options.Sources);
        var profile = options.Profile switch
        {
            "random" => new Profile
            {
                Faults = Schedule.Random(Count(200, 12), options.Seed, options.Sources, options.DiskMebibytes > 0, options.External is not null, options.WorkerApart),
                WorkerApart = options.WorkerApart,
            },
            "cut-2min" => new Profile
            {
                Faults = Repeat(FaultKind.CutNetwork, 1, 1, cut, cut),
                // Without a limit the backlog of two minutes comes in within 0.1 s, and nothing could be seen to wait for it.
                UplinkBytesPerSecond = 256 << 10,
                Act = Steps.CatchUpAsync,
                Assert = Assertions.LiveRowsAreNotBehindBacklogAsync,
            },
            "agent-kill-50" => new Profile { Faults = Repeat(FaultKind.KillSource, 50, 5, 0.1, 1) },
            "disk-full" => new Profile { Faults = Repeat(FaultKind.DiskFull, 3, 1, Seconds(100), Seconds(200)) },
            "nats-away" => new Profile
            {
                Faults = Repeat(FaultKind.KillNats, 1, 1, Seconds(300), Seconds(300)),
                During = Watches.NothingIsReceivedAsync,
                Assert = Assertions.NoSessionEndedAsync,
            },
            "two-gateways" => new Profile
            {
                Faults = Repeat(FaultKind.SwitchGateway, 10, 2, 2, 12),
                Gateways = 2,
                Assert = Assertions.PublishesWereInFlightAsync,
            },
            "wipe" => new Profile
            {
                Faults = Repeat(FaultKind.Wipe, 10, 3, 0.2, 3),
                Assert = Assertions.DamageWasDoneUnderLivingSessionsAsync,
            },
            "tail-loss" => new Profile
            {
                Faults = Repeat(FaultKind.TailLoss, 10, 3, 0.2, 3),
                Assert = Assertions.DamageWasDoneUnderLivingSessionsAsync,
            },
            "clones" => new Profile { Faults = [], Act = Steps.CloneAsync, Assert = Assertions.CopyIsVisibleAsync },
            "restored-directory" => new Profile { Faults = [], Act = Steps.RestoreAsync, Assert = Assertions.CopyIsVisibleAsync },
            "poison" => new Profile
            {
                Faults = [],
                Act = Steps.PoisonAsync,
                Assert = Assertions.PoisonIsADeadLetterAsync,
                ExpectedLosses = ["dead_letter"],
                AgentsPerSource = manyPerSource,
            },
            "gateway-restarts" => new Profile
            {
                // One every ten seconds, with what it takes to come back.
                Faults = Schedule.Repeat(FaultKind.KillGateway, Count(6, 2), options.Seed, options.Sources, 0.2, 0.2, gap: Seconds(10)),
                WorkerApart = true,
                AgentsPerSource = manyPerSource,
            },
            _ => throw new BenchFailure($"--profile {options.Profile}: expected one of {string.Join(", ", Names)}"),
        };
        return options.External is null || !profile.Faults.Any(fault => Schedule.IsOfServers(fault.Kind))
            ? profile
            : throw new BenchFailure(
                $"--profile {options.Profile}: its faults are of NATS or ClickHouse, which are not the harness's to stop");
    }
}
