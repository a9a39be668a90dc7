using System.Diagnostics;
using System.Globalization;
using Streams.Bench.Chaos.Running;
using Streams.Bench.Running;
using Streams.Checker;
using Streams.Local;

namespace Streams.Bench.Chaos.Kernel;

/// <summary>
/// The profile `agent`: the real agent under `streams up`, which starts it again, killed at load with a full ring. Judged twice: the connections that this
/// process made against rows and counted losses, and the kernel's own numbers (barriers) against rows and ledger.
/// </summary>
internal static class AgentKills
{
    private const string Agent = "streams-agent";
    private const string RingFull = "ring_full";
    private const string AgentRestart = "agent_restart";
    private const string Pins = "/sys/fs/bpf/streams";
    private const int Kills = 50;
    private const int BriefKills = 3;
    // While the agent is stopped: more than its ring of 512 KiB holds.
    private const int RingConnects = 8000;
    private static readonly TimeSpan RecoveryDeadline = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan SettleDeadline = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(250);

    public static async Task<ChaosReport> RunAsync(string directory, ChaosOptions options, CancellationToken stop)
    {
        if (Environment.UserName != "root")
        {
            throw new BenchFailure("--profile agent needs root: the agent loads eBPF programs; run it with sudo");
        }

        _ = RepositoryPrograms.Agent();
        var data = Path.Combine(directory, "data");
        // Its own id: pins are found by it, and this machine's agent may run.
        var id = $"chaos-agent-{Guid.NewGuid().ToString("n")[..8]}";
        var times = new List<double>();
        var failures = new List<string>();
        var resident = new SortedDictionary<string, long>();
        try
        {
            await using var up = await UpProcess.StartAsync(
                data, Path.Combine(directory, "up.log"), ["--agent-id", id, .. ChaosStack.FreePorts()], stop);
            using var engine = new EngineClient(up.Endpoints);
            await using var connects = NumberedConnects.Start(options.Rate);
            var rows = $"FROM network_connect WHERE agent_id = '{id}' AND pid = {Environment.ProcessId} AND remote_port = {connects.Port}";
            await RecoverAsync(engine, rows, connects, stop);
            // The first connections may be older than the sensor.
            var first = connects.Made;
            var servers = Endpoints.Read(data).Children.Where(child => child.Key != Agent).ToList();
            var random = new Random(options.Seed);
            var kills = options.Faults ?? (options.Short ? BriefKills : Kills);
            for (var kill = 1; kill <= kills; kill++)
            {
                await Task.Delay(TimeSpan.FromSeconds(0.5 + random.NextDouble() * 3), stop);
                Sample(data, resident);
                var full = await LostAsync(engine, id, RingFull, stop);
                var pid = await AgentAsync(data, not: 0, stop);
                using (var process = Process.GetProcessById(pid))
                {
                    using var pause = Process.Start("kill", ["-STOP", pid.ToString(CultureInfo.InvariantCulture)]);
                    await pause.WaitForExitAsync(stop);
                    for (var filled = connects.Made + RingConnects; connects.Made < filled;)
                    {
                        await Task.Delay(Poll / 10, stop);
                    }

                    process.Kill();
                    await process.WaitForExitAsync(stop);
                }

                // Rows of connections of after the kill may be what the killed one has left.
                var successor = await AgentAsync(data, not: pid, stop);

                var recovery = await RecoverAsync(engine, rows, connects, stop);
                if (!await GrewAsync(engine, id, RingFull, full, stop))
                {
                    failures.Add($"the ring was not full at kill {kill}");
                }

                failures.AddRange(Ended(data, servers.Append(new(Agent, successor)), kill));

                var outcome = recovery is { } time ? $"rows again after {time:0.0} s" : "NOT RECOVERED";
                Console.WriteLine($"{kill,4} kill -9 of the agent: {outcome}");
                if (recovery is { } seconds)
                {
                    times.Add(seconds);
                }
                else
                {
                    failures.Add($"no rows within {RecoveryDeadline.TotalSeconds:0} s after kill {kill}");
                }
            }

            await connects.EndAsync();
            var history = await SettleAsync(up.Endpoints, engine, id, rows, connects, stop);
            Sample(data, resident);
            var report = await ReportAsync(engine, id, $"{rows} AND remote_address >= {NumberedConnects.Literal(first)}",
                connects.Made - first, history, options, stop);
            await up.StopAsync();
            times.Sort();
            report = report with
            {
                Faults = kills,
                FaultsByKind = new Dictionary<string, int> { ["KillAgent"] = kills },
                RecoveryP50Seconds = Verdict.Percentile(times, 0.50),
                RecoveryP99Seconds = Verdict.Percentile(times, 0.99),
                RssBytes = resident,
                MaxRssBytes = resident.Values.Max(),
                Failures = [.. failures, .. report.Failures],
            };
            return report with { Failures = [.. report.Failures, .. Verdict.Health(report)] };
        }
        finally
        {
            // A run that failed leaves programs attached.
            if (Directory.Exists(Path.Combine(Pins, id)))
            {
                Process.Start("rm", ["-r", Path.Combine(Pins, id)]).WaitForExit();
            }
        }
    }

    /// <summary>Who is another process than before and should not be.</summary>
    private static IEnumerable<string> Ended(string data, IEnumerable<KeyValuePair<string, int>> children, int kill)
    {
        var now = Endpoints.Read(data).Children;
        return children.Where(child => now.GetValueOrDefault(child.Key) != child.Value).Select(child => $"{child.Key} ended unasked after kill {kill}");
    }

    /// <summary>Waits for `up` to have an agent, other than that process.</summary>
    private static async Task<int> AgentAsync(string data, int not, CancellationToken stop)
    {
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed < RecoveryDeadline)
        {
            if (Endpoints.Read(data).Children.TryGetValue(Agent, out var pid) && pid != not)
            {
                return pid;
            }

            await Task.Delay(Poll, stop);
        }

        throw new BenchFailure($"streams up did not start the agent again within {RecoveryDeadline.TotalSeconds:0} s");
    }

    // The verdict of a moment may miss what is on its way; what is lost or doubled stays so.
    private static async Task<HistoryVerdict> SettleAsync(
        Endpoints endpoints, EngineClient engine, string id, string rows, NumberedConnects connects, CancellationToken stop)
    {
        await RecoverAsync(engine, rows, connects, stop);
        using var checker = new HistoryChecker(new Uri(endpoints.ClickHouse), endpoints.ClickHouseUser,
            File.ReadAllText(endpoints.ClickHousePasswordFile).Trim(), "streams");
        var end = DateTime.UtcNow;
        var micros = (end - DateTime.UnixEpoch).Ticks / 10;
        var barriers = $"SELECT count() FROM ledger_barrier WHERE agent_id = '{id}' AND toUnixTimestamp64Micro(time) > {micros}";
        while (DateTime.UtcNow < end + SettleDeadline && (await engine.QueryAsync(barriers, stop))[0][0] == "0")
        {
            await Task.Delay(Poll, stop);
        }

        var history = await checker.CheckAsync(id, cancel: stop);
        while ((!history.Clean || history.Uncommitted > 0) && DateTime.UtcNow < end + SettleDeadline)
        {
            await Task.Delay(Poll, stop);
            history = await checker.CheckAsync(id, cancel: stop);
        }

        Console.WriteLine($"  tables and ledger: {history}");
        return history;
    }

    // Rows of connections that are made from now on, or the last one when no more are made.
    private static async Task<double?> RecoverAsync(EngineClient engine, string rows, NumberedConnects connects, CancellationToken stop)
    {
        var clock = Stopwatch.StartNew();
        var query = $"SELECT count() {rows} AND remote_address >= {NumberedConnects.Literal(Math.Max(0, connects.Made - 1))}";
        while (clock.Elapsed < RecoveryDeadline)
        {
            if ((await engine.QueryAsync(query, stop))[0][0] != "0")
            {
                return clock.Elapsed.TotalSeconds;
            }

            await Task.Delay(Poll, stop);
        }

        return null;
    }

    private static async Task<ChaosReport> ReportAsync(
        EngineClient engine, string id, string rows, long emitted, HistoryVerdict history, ChaosOptions options, CancellationToken stop)
    {
        var found = (await engine.QueryAsync($"SELECT uniqExact(remote_address), count() {rows}", stop))[0];
        var stored = long.Parse(found[0], CultureInfo.InvariantCulture);
        var doubled = long.Parse(found[1], CultureInfo.InvariantCulture) - stored;
        var losses = new SortedDictionary<string, long>();
        foreach (var cause in new[]
        {
            RingFull, "rate_limited", "shed", "read_fault", "reader", "spool_evicted", "spool_corrupt", "server_lost", "dead_letter",
            AgentRestart, "unknown",
        })
        {
            var count = await LostAsync(engine, id, cause, stop);
            if (count > 0)
            {
                losses[cause] = count;
            }
        }

        // Not stamped: the kernel did not let the program run, or it was the moment of a take-over.
        var missed = long.Parse((await engine.QueryAsync(
            $"SELECT max(missed) FROM ledger_barrier WHERE agent_id = '{id}' AND class = 'network_connect'", stop))[0][0],
            CultureInfo.InvariantCulture);
        Console.WriteLine($"  connections: {emitted} made, {stored} stored, {missed} missed by the programs (of all processes)");
        var unaccounted = Math.Max(0, emitted - stored - losses.Values.Sum() - missed);
        var report = new ChaosReport
        {
            Profile = options.Profile,
            Seed = options.Seed,
            Rate = options.Rate,
            Faults = 0,
            FaultsByKind = new Dictionary<string, int>(),
            Emitted = emitted,
            Stored = stored,
            InDoubt = 0,
            Lost = history.Lost,
            Doubled = doubled + history.Doubled,
            Reordered = history.Reordered,
            Altered = 0,
            Unaccounted = unaccounted + history.Unaccounted + history.Uncommitted,
            CountedLosses = losses,
            RecoveryP50Seconds = 0,
            RecoveryP99Seconds = 0,
            MaxRssBytes = 0,
            RssBytes = new Dictionary<string, long>(),
            PeakQueueBytes = 0,
            PeakUncommittedBytes = 0,
            PeakHeld = new Dictionary<string, long>(),
            CatchUpRowsPerSecond = 0,
            UnexpectedExits = [],
            QueueWedged = 0,
            Failures = losses.ContainsKey(AgentRestart) ? [] : ["no kill met rows in the agent's memory: nothing is counted as agent_restart"],
        };
        return report with { Failures = [.. report.Failures, .. Verdict.Failures(report)] };
    }

    private static async Task<long> LostAsync(EngineClient engine, string id, string cause, CancellationToken stop) => long.Parse(
        (await engine.QueryAsync($"SELECT sum(lost_{cause}) FROM loss_ledger WHERE agent_id = '{id}' AND class = 'network_connect'", stop))[0][0],
        CultureInfo.InvariantCulture);

    private static async Task<bool> GrewAsync(EngineClient engine, string id, string cause, long before, CancellationToken stop)
    {
        var clock = Stopwatch.StartNew();
        while (await LostAsync(engine, id, cause, stop) <= before)
        {
            if (clock.Elapsed > RecoveryDeadline)
            {
                return false;
            }

            await Task.Delay(Poll, stop);
        }

        return true;
    }

    private static void Sample(string data, SortedDictionary<string, long> resident)
    {
        foreach (var (name, pid) in Endpoints.Read(data).Children)
        {
            resident[name] = Math.Max(resident.GetValueOrDefault(name), ProcessMemory.PeakResident(pid));
        }
    }
}
