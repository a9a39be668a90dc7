using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using LibbpfSharp;
using LibbpfSharp.Probes;
using Streams.AgentLink.Tests.Gateway;
using Xunit.Abstractions;

namespace Streams.Agent.Tests.Published;

/// <summary>The published agent from exec to decoded row, against a gateway that the test plays.</summary>
[Collection(nameof(PublishedAgent))]
public sealed class EndToEndTests(ITestOutputHelper output)
{
    private const int Processes = 200;
    private const int Connections = 20;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Events_arrive_with_all_fields_the_ledger_balances_and_the_budget_holds()
    {
        if (!CanRun())
            return;
        using var gateway = new ScriptedGateway();
        using var rows = new ReceivedRows();
        using var agent = PublishedAgent.Start(gateway, """
            "telemetry": { "interval_seconds": 1 },
            "observability": { "barrier_seconds": 1 }
            """);
        await using var peer = await AcceptAsync(gateway, agent);
        var session = rows.RunAsync(peer);
        // Where nothing happens there is no number, and so no barrier.
        RunMarked("before");
        await UntilAsync(agent, () => rows.Rows("ledger_barrier").Count > 0, "a first barrier");

        var mark = Guid.NewGuid().ToString("N");
        var before = DateTimeOffset.UtcNow;
        var pids = RunMarked(mark);
        Connect();
        await UntilAsync(agent, () => Marked(rows, mark).Count >= Processes && Connected(rows).Count >= Connections, "all marked events");
        CheckExec(rows, mark, pids, before);
        CheckExit(rows, pids);
        CheckNetwork(rows);
        CheckTelemetry(rows);
        await CheckMemoryAsync(agent);
        CheckStatus(agent);

        PublishedAgent.SendSignal(agent.Process, "TERM");
        await session.WaitAsync(Patience);
        Assert.True(agent.Process.WaitForExit(10_000), "it did not end");
        Assert.Equal(0, agent.Process.ExitCode);
        CheckLedger(rows);
        Assert.False(Directory.Exists(Path.Combine(BpfFileSystem.DefaultPath, "streams", gateway.Agent.AgentId)), "pins were left");
    }

    [Fact]
    public async Task With_disk_and_memory_full_reading_pauses_the_kernel_counts_and_nothing_is_unaccounted()
    {
        if (!CanRun())
            return;
        using var gateway = new ScriptedGateway();
        using var rows = new ReceivedRows();
        using var agent = PublishedAgent.Start(gateway, """
            "link": { "retention_bytes": 524288 },
            "telemetry": { "enabled": false },
            "observability": { "barrier_seconds": 1, "ring_bytes": 262144, "batch_rows": 50 }
            """, spoolSize: "256k");
        await using var peer = await AcceptAsync(gateway, agent);
        await UntilAsync(agent, () => agent.Said.Contains("module observability runs", StringComparison.Ordinal), "the probes");
        for (var i = 0; i < 700; i++)
        {
            // Random text does not compress: 700 such rows are more than disk, memory and ring hold.
            var argument = Convert.ToBase64String(System.Security.Cryptography.RandomNumberGenerator.GetBytes(2600));
            using var process = Process.Start("/bin/true", [argument]);
            await process.WaitForExitAsync();
        }

        await UntilAsync(agent, () => agent.Said.Contains("reading pauses", StringComparison.Ordinal), "the pause");
        var session = rows.RunAsync(peer);
        await UntilAsync(agent, () => agent.Said.Contains("reading goes on", StringComparison.Ordinal), "the end of the pause");
        PublishedAgent.SendSignal(agent.Process, "TERM");
        await session.WaitAsync(Patience);
        Assert.True(agent.Process.WaitForExit(10_000), "it did not end");
        Assert.Equal(0, agent.Process.ExitCode);
        CheckLedger(rows);
        var full = rows.Ledger("process_exec").SelectMany(entry => entry.Losses).Where(loss => loss.Cause == Streams.Schema.LossCause.RingFull).Sum(loss => (long)loss.Count);
        output.WriteLine($"{rows.Rows("process_exec").Count} exec rows, {full} counted as ring_full");
        Assert.True(full > 0);
    }

    [Fact]
    public async Task A_killed_agent_goes_on_in_the_kernel_and_the_next_one_sends_what_it_saw()
    {
        if (!CanRun())
            return;
        // Other tests start programs without end meanwhile: in the usual ring there was no room for this one's.
        using var gateway = new ScriptedGateway();
        using var rows = new ReceivedRows();
        using var agent = PublishedAgent.Start(gateway, """
            "telemetry": { "enabled": false },
            "observability": { "barrier_seconds": 1, "ring_bytes": 4194304 }
            """);
        Task first;
        await using (var peer = await AcceptAsync(gateway, agent))
        {
            first = rows.RunAsync(peer);
            // On a machine where nothing runs there is nothing to tell of.
            await UntilAsync(agent, () => agent.Said.Contains("probes attached", StringComparison.Ordinal), "the probes");
            RunMarked("before");
            await UntilAsync(agent, () => rows.Rows("ledger_barrier").Count > 0, "a first barrier");
            agent.Kill();
        }

        await Record.ExceptionAsync(() => first.WaitAsync(Patience));
        var mark = Guid.NewGuid().ToString("N");
        var before = DateTimeOffset.UtcNow;
        var pids = RunMarked(mark);
        agent.StartAgain();
        await using var next = await AcceptAsync(gateway, agent);
        var session = rows.RunAsync(next);
        await UntilAsync(agent, () => Marked(rows, mark).Count >= Processes, "what ran while no agent did");
        CheckExec(rows, mark, pids, before);
        await UntilAsync(agent, () => agent.Said.Contains("took over the sensor instance", StringComparison.Ordinal), "the take-over");
        PublishedAgent.SendSignal(agent.Process, "TERM");
        await session.WaitAsync(Patience);
        Assert.True(agent.Process.WaitForExit(10_000), "it did not end");
        output.WriteLine(agent.Said);
        Assert.Single(rows.Rows("ledger_barrier").Select(row => row["sensor_epoch"]).Distinct());
        // The barrier's own numbers go on.
        var seqs = rows.Rows("ledger_barrier").Select(row => (ulong)row["seq"]).ToList();
        Assert.Equal(Enumerable.Range(1, seqs.Count).Select(i => (ulong)i), seqs);
        var unknown = rows.Ledger("process_exec").SelectMany(entry => entry.Losses).Count(loss => loss.Cause == Streams.Schema.LossCause.Unknown);
        Assert.Equal(0, unknown);
        Assert.False(Directory.Exists(Path.Combine(BpfFileSystem.DefaultPath, "streams", gateway.Agent.AgentId)), "pins were left");
    }

    private bool CanRun()
    {
        var supported = KernelProbe.CanAttach(AttachPoint.BtfTracepoint, "sched_process_exec").Supported;
        if (!supported)
            output.WriteLine("skipped: this kernel or user may not attach tp_btf/sched_process_exec");
        return supported;
    }

    private static async Task<ScriptedPeer> AcceptAsync(ScriptedGateway gateway, PublishedAgent agent)
    {
        try
        {
            return await gateway.AcceptSessionAsync();
        }
        catch (TimeoutException)
        {
            Assert.Fail($"the agent did not connect; it said:\n{agent.Said}");
            throw;
        }
    }

    private static List<Dictionary<string, object>> Marked(ReceivedRows rows, string mark) =>
        [.. rows.Rows("process_exec").Where(row => ((string)row["argv"]).Contains(mark, StringComparison.Ordinal))];

    private static List<Dictionary<string, object>> Connected(ReceivedRows rows) =>
        [.. rows.Rows("network_connect").Where(row => ((string)row["remote_address"]).StartsWith("127.77.", StringComparison.Ordinal))];

    private static HashSet<ulong> RunMarked(string mark)
    {
        var pids = new HashSet<ulong>();
        for (var i = 0; i < Processes; i++)
        {
            using var process = Process.Start("/bin/true", [mark, $"{i}"]);
            pids.Add((ulong)process.Id);
            process.WaitForExit();
        }

        return pids;
    }

    private static void Connect()
    {
        using var listener = new TcpListener(IPAddress.Parse("127.77.0.1"), 0);
        listener.Start();
        for (var i = 0; i < Connections; i++)
        {
            using var client = new TcpClient(AddressFamily.InterNetwork);
            client.Connect((IPEndPoint)listener.LocalEndpoint);
            using var server = listener.AcceptTcpClient();
        }
    }

    private static void CheckExec(ReceivedRows rows, string mark, HashSet<ulong> pids, DateTimeOffset before)
    {
        var marked = Marked(rows, mark);
        Assert.Equal(Processes, marked.Count);
        Assert.Equal(pids.Count, marked.Select(row => row["pid"]).Distinct().Count());
        var own = CgroupFileSystem.DirectoryOf(Environment.ProcessId);
        foreach (var row in marked)
        {
            Assert.Contains((ulong)row["pid"], pids);
            Assert.Equal((ulong)Environment.ProcessId, row["ppid"]);
            Assert.Equal("true", row["comm"]);
            Assert.Equal("/bin/true", row["filename"]);
            Assert.Equal(3UL, row["argc"]);
            Assert.StartsWith($"/bin/true\0{mark}\0", (string)row["argv"]);
            Assert.Equal((0UL, 0UL, 0UL), ((ulong)row["uid"], (ulong)row["gid"], (ulong)row["flags"]));
            Assert.True((ulong)row["inode"] > 0);
            if (own is not null)
                Assert.Equal(CgroupFileSystem.IdOf(own), row["cgroup_id"]);
            Assert.InRange((DateTimeOffset)row["time"], before.AddMilliseconds(-50), DateTimeOffset.UtcNow);
            Assert.InRange((DateTimeOffset)row["start_time"], before.AddSeconds(-1), (DateTimeOffset)row["time"]);
        }
    }

    private static void CheckExit(ReceivedRows rows, HashSet<ulong> pids)
    {
        var exits = rows.Rows("process_exit").Where(row => pids.Contains((ulong)row["pid"]) && (string)row["comm"] == "true").ToList();
        Assert.Equal(Processes, exits.Count);
        Assert.All(exits, row => Assert.Equal((0L, 0UL), ((long)row["exit_code"], (ulong)row["exit_signal"])));
        Assert.All(exits, row => Assert.InRange((ulong)row["lifetime_us"], 1UL, 10_000_000UL));
    }

    private static void CheckNetwork(ReceivedRows rows)
    {
        var connects = Connected(rows);
        Assert.Equal(Connections, connects.Count);
        Assert.All(connects, row => Assert.Equal(((ulong)Environment.ProcessId, 2UL, 1UL), ((ulong)row["pid"], (ulong)row["family"], (ulong)row["state"])));
        Assert.Equal(Connections, rows.Rows("network_accept").Count(row => ((string)row["local_address"]).StartsWith("127.77.", StringComparison.Ordinal)));
    }

    private static void CheckTelemetry(ReceivedRows rows)
    {
        var host = rows.Rows("host_metric");
        Assert.Contains(host, row => (string)row["name"] == "memory.total" && (double)row["value"] > 0 && (string)row["unit"] == "bytes");
        Assert.All(host, row => Assert.Equal(65535UL, row["cpu"]));
        var seqs = host.Select(row => (ulong)row["seq"]).ToList();
        Assert.Equal(Enumerable.Range(1, seqs.Count).Select(i => (ulong)i), seqs);
        var modules = rows.Rows("module_metric");
        foreach (var name in new[] { "agent", "core", "websocket_comm", "telemetry", "observability" })
            Assert.Contains(modules, row => (string)row["module"] == name && (string)row["state"] == "running");
        Assert.Contains(modules, row => (string)row["module"] == "observability" && (ulong)row["cpu_us"] > 0);
    }

    // For every (class, cpu): the entries follow each other from 1 to the S of the stop barrier, and nothing is unknown.
    private static void CheckLedger(ReceivedRows rows)
    {
        var stop = rows.Rows("ledger_barrier").Where(row => (string)row["reason"] == "stop").ToList();
        Assert.NotEmpty(stop);
        foreach (var barrier in stop)
        {
            var name = (string)barrier["class"];
            var cpu = (ushort)(ulong)barrier["barrier_cpu"];
            ulong next = 1, counted = 0;
            // Lanes overtake each other: backlog goes beside live data.
            foreach (var (_, epoch, entry, losses) in rows.Ledger(name).Where(entry => entry.Entry.Cpu == cpu)
                .OrderBy(entry => entry.Entry.First))
            {
                Assert.Equal(barrier["sensor_epoch"], epoch);
                Assert.Equal(next, entry.First);
                next = entry.Last + 1;
                counted += entry.Rows;
                foreach (var loss in losses)
                {
                    Assert.NotEqual(Streams.Schema.LossCause.Unknown, loss.Cause);
                    counted += loss.Count;
                }
            }

            Assert.Equal(barrier["stamped"], next - 1);
            Assert.Equal(barrier["stamped"], counted);
            Assert.Equal(0UL, barrier["missed"]);
        }
    }

    private static void CheckStatus(PublishedAgent agent)
    {
        var (code, text, error) = PublishedAgent.RunToEnd("status", "--json", "--config", agent.Configuration);
        Assert.True(code == 0, error);
        using var status = JsonDocument.Parse(text);
        Assert.True(status.RootElement.GetProperty("link").GetProperty("connected").GetBoolean());
        Assert.Equal(3, status.RootElement.GetProperty("modules").GetArrayLength());
        var exec = status.RootElement.GetProperty("classes").EnumerateArray().Single(c => c.GetProperty("class").GetString() == "process_exec");
        Assert.True(exec.GetProperty("rows").GetInt64() >= Processes);
        Assert.Equal(0, status.RootElement.GetProperty("sensor").GetProperty("late").GetInt64());
        Assert.Equal(0, status.RootElement.GetProperty("sensor").GetProperty("malformed").GetInt64());
    }

    private async Task CheckMemoryAsync(PublishedAgent agent)
    {
        var samples = new List<long>();
        for (var i = 0; i < 20; i++)
        {
            samples.Add(agent.MemoryBytes("smaps_rollup", "Rss:"));
            await Task.Delay(500);
        }

        samples.Sort();
        var resident = samples[samples.Count / 2];
        var peak = agent.MemoryBytes("status", "VmHWM:");
        var binary = new FileInfo(PublishedAgent.Program).Length;
        output.WriteLine($"resident {resident / 1048576.0:0.00} MiB (median of 10 s), peak {peak / 1048576.0:0.00} MiB, binary {binary / 1e6:0.00} MB");
        // One use of System.Security.Cryptography is enough to load it, for 3.7 MB.
        Assert.DoesNotContain("libcrypto", File.ReadAllText($"/proc/{agent.Process.Id}/maps"));
        Assert.True(resident <= 16_000_000, $"resident {resident}");
        Assert.True(peak <= 32_000_000, $"peak {peak}");
        Assert.True(binary <= 8_000_000, $"binary {binary}");
    }

    private async Task UntilAsync(PublishedAgent agent, Func<bool> condition, string what)
    {
        var clock = Stopwatch.StartNew();
        while (!condition())
        {
            if (clock.Elapsed > Patience || agent.Process.HasExited)
            {
                var (_, status, error) = PublishedAgent.RunToEnd("status", "--json", "--config", agent.Configuration);
                Assert.Fail($"{what} did not come; the agent said:\n{agent.Said}\nits status:\n{status}{error}");
            }

            await Task.Delay(50);
        }

        output.WriteLine($"{what}: after {clock.ElapsedMilliseconds} ms");
    }
}
