using Streams.Bench.Chaos.Faults;
using Streams.Bench.Chaos.Running;
using Streams.Bench.Chaos.Sources;
using Streams.Checker;
using Streams.Checker.Journals;

namespace Streams.Bench.Chaos;

/// <summary>Asks the two checkers, which share no code with what they judge, and puts the report together.</summary>
internal static class Verdict
{
    public static async Task<ChaosReport> OfAsync(ChaosRun run, ChaosOptions options, CancellationToken stop)
    {
        var endpoints = run.Stack.Endpoints;
        var url = new Uri(endpoints.ClickHouse);
        var password = (await File.ReadAllTextAsync(endpoints.ClickHousePasswordFile, stop)).Trim();
        using var journals = new JournalChecker(url, endpoints.ClickHouseUser, password, "streams", NumberedEvents.Table,
            NumberedEvents.Mark);
        using var histories = new HistoryChecker(url, endpoints.ClickHouseUser, password, "streams");
        var journal = new JournalVerdict();
        long lost = 0, doubled = 0, reordered = 0, unaccounted = 0;
        foreach (var sources in run.Sources.SelectMany(source => source.Agents).GroupBy(agent => agent.Id))
        {
            // Two processes may be one agent (clones): their journals are of different sensor epochs and judged together.
            var incarnations = sources.SelectMany(source => JournalFile.Read(source.Files.Journal)).DistinctBy(i => i.SensorEpoch).ToList();
            var verdict = await journals.CheckAsync(sources.Key, incarnations, stop);
            journal += verdict;
            var history = await histories.CheckAsync(sources.Key, cancel: stop);
            if (run.Sources.All(source => source.Agents.Count == 1))
            {
                Console.WriteLine($"{sources.Key}: {verdict}");
                Console.WriteLine($"  tables and ledger: {history}");
            }

            lost += history.Lost;
            doubled += history.Doubled;
            reordered += history.Reordered;
            unaccounted += history.Unaccounted + history.Uncommitted;
        }

        var times = run.Done.Select(done => done.Recovery?.TotalSeconds ?? double.PositiveInfinity).Where(double.IsFinite).Order().ToList();
        var report = new ChaosReport
        {
            Profile = options.Profile,
            Seed = options.Seed,
            Rate = options.Rate,
            Faults = run.Done.Count,
            FaultsByKind = run.Done.GroupBy(done => done.Fault.Kind.ToString()).OrderBy(g => g.Key).ToDictionary(g => g.Key,
                g => g.Count()),
            Emitted = journal.Emitted,
            Stored = journal.Stored,
            InDoubt = journal.InDoubt,
            Lost = journal.Lost + lost,
            Doubled = journal.Doubled + doubled,
            Reordered = journal.Reordered + reordered,
            Altered = journal.Altered,
            Unaccounted = journal.Unaccounted + unaccounted,
            CountedLosses = journal.CountedLosses,
            RecoveryP50Seconds = Percentile(times, 0.50),
            RecoveryP99Seconds = Percentile(times, 0.99),
            MaxRssBytes = run.Peaks.Resident.Where(peak => peak.Key != "source").Max(peak => peak.Value),
            RssBytes = run.Peaks.Resident,
            PeakQueueBytes = run.Peaks.QueueBytes,
            PeakUncommittedBytes = run.Peaks.UncommittedBytes,
            PeakHeld = run.Peaks.HeldByServe,
            CatchUpRowsPerSecond = Math.Round(run.Rates.Highest),
            UnexpectedExits = run.Stack.UnexpectedExits,
            QueueWedged = run.Stack.QueueWedged,
            Failures = [],
        };
        return report with { Failures = [.. run.Failures, .. Failures(report), .. Losses(report, run.ExpectedLosses), .. Health(report), .. Unseen(report)] };
    }

    /// <summary>What the checkers found, one line each.</summary>
    public static IReadOnlyList<string> Failures(ChaosReport report)
    {
        var failures = new List<string>();
        foreach (var (count, what) in new[]
        {
            (report.Lost, "lost"), (report.Doubled, "doubled"), (report.Reordered, "reordered"), (report.Altered, "altered"),
            (report.Unaccounted, "unaccounted"),
        })
        {
            if (count != 0)
            {
                failures.Add($"{count} {what}");
            }
        }

        return failures;
    }

    /// <summary>Counted losses are accounted for, but nothing that is done here is to cost a row unless the profile says so; one line each.</summary>
    private static IEnumerable<string> Losses(ChaosReport report, IReadOnlyCollection<string> expected) => report.CountedLosses
        .Where(cause => !expected.Contains(cause.Key)).Select(static cause => $"{cause.Value} counted as lost by {cause.Key}");

    /// <summary>Processes that ended unasked, queues that hung without a full disk, and memory above its bound; one line each.</summary>
    public static IEnumerable<string> Health(ChaosReport report)
    {
        foreach (var exit in report.UnexpectedExits)
        {
            yield return $"died unasked: {exit}";
        }

        if (report.QueueWedged > 0 && !report.FaultsByKind.ContainsKey(nameof(FaultKind.DiskFull)))
        {
            yield return $"nats-server hung {report.QueueWedged} times";
        }

        foreach (var (name, bytes) in report.RssBytes.Where(peak => peak.Value > BoundOf(peak.Key)))
        {
            yield return $"{name} took {Mebi(bytes)} of memory, above {Mebi(BoundOf(name))}";
        }

        foreach (var (name, held) in report.PeakHeld.Where(peak => peak.Value > Peaks.Held[peak.Key]))
        {
            yield return $"{name} was {held:N0}, above {Peaks.Held[name]:N0}";
        }
    }

    // A bound of what nobody says anything of holds for nothing.
    private static IEnumerable<string> Unseen(ChaosReport report) => Peaks.Held.Keys.Where(name => !report.PeakHeld.ContainsKey(name))
        .Select(name => $"{name} was at no metrics endpoint");

    // Several times what a run at 20,000 events/s takes: a leak or a queue without a bound passes it, a noisy machine does not.
    private static long BoundOf(string process) => process switch
    {
        "nats-server" => 1L << 30,
        "streams-clickhouse" => 4L << 30,
        "streams-agent" => 32L << 20,
        _ => 768L << 20,
    };

    public static void Print(ChaosReport report)
    {
        Console.WriteLine();
        var kinds = string.Join(", ", report.FaultsByKind.Select(kind => $"{kind.Key} {kind.Value}"));
        Console.WriteLine($"faults        {report.Faults}: {kinds}");
        Console.WriteLine($"recovery      p50 {report.RecoveryP50Seconds:0.0} s, p99 {report.RecoveryP99Seconds:0.0} s");
        Console.WriteLine(
            $"peaks         queue {Mebi(report.PeakQueueBytes)}, not committed at the sources {Mebi(report.PeakUncommittedBytes)}");
        if (report.PeakHeld.Count > 0)
        {
            Console.WriteLine($"held by serve {string.Join(", ", report.PeakHeld.Select(peak => $"{peak.Key["streams_".Length..]} {peak.Value:N0}"))}");
        }

        Console.WriteLine($"memory        {string.Join(", ", report.RssBytes.Select(peak => $"{peak.Key} {Mebi(peak.Value)}"))}");
        Console.WriteLine($"catch-up      {report.CatchUpRowsPerSecond:N0} rows/s");
        Console.WriteLine($"died unasked  {report.UnexpectedExits.Count}; queue hung {report.QueueWedged} times");
        Console.WriteLine($"events        {report.Emitted:N0} emitted, {report.Stored:N0} stored, {report.InDoubt} in doubt, counted losses "
            + (report.CountedLosses.Count == 0 ? "0" : string.Join(", ",
                report.CountedLosses.Select(cause => $"{cause.Key} {cause.Value}"))));
        Console.WriteLine(
            $"verdict       lost {report.Lost}, doubled {report.Doubled}, reordered {report.Reordered}, altered {report.Altered}, unaccounted {report.Unaccounted}");
        foreach (var failure in report.Failures)
        {
            Console.WriteLine($"FAILED        {failure}");
        }
    }

    public static double Percentile(List<double> sorted, double share) =>
        sorted.Count == 0 ? 0 : Math.Round(sorted[(int)Math.Ceiling(share * sorted.Count) - 1], 2);

    private static string Mebi(long bytes) => $"{bytes / 1048576.0:0.0} MiB";
}
