using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using Streams.Bench.Running;
using Streams.Checker;
using Streams.Local;

namespace Streams.Bench.Demo;

/// <summary>`demo`: the whole path on this machine, proved by SQL.</summary>
internal static class DemoCommand
{
    private const int Execs = 500;
    private const int Connects = 200;
    private static readonly TimeSpan RowsDeadline = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan BalanceDeadline = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(250);

    private static readonly JsonSerializerOptions Flat = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true };

    public static Command Create()
    {
        var json = new Option<string?>("--json") { Description = "Write the result to this file, one flat object." };
        var command = new Command("demo", $"Run {Execs} processes and {Connects} connections and check by SQL that each is one row.") { json };
        command.SetAction(async (parse, stop) =>
        {
            if (Environment.UserName != "root")
            {
                throw new BenchFailure("demo needs root: the agent loads eBPF programs; run: sudo ./justw demo");
            }
            var directory = Directory.CreateTempSubdirectory("streams-demo-").FullName;
            var report = await RunAsync(directory, stop);
            if (parse.GetValue(json) is { } file)
            {
                await File.WriteAllTextAsync(file, JsonSerializer.Serialize(report, Flat) + "\n", stop);
            }
            if (report.Failure is { } failure)
            {
                throw new BenchFailure($"demo failed: {failure}; logs are in {directory}");
            }
            Directory.Delete(directory, recursive: true);
            Console.WriteLine("every marked event is a row exactly once, and the ledger balances");
            return 0;
        });
        return command;
    }

    private static async Task<DemoReport> RunAsync(string directory, CancellationToken stop)
    {
        var clock = Stopwatch.StartNew();
        Console.WriteLine("starting NATS, ClickHouse, gateway, worker and agent");
        await using var up = await UpProcess.StartAsync(Path.Combine(directory, "data"), Path.Combine(directory, "up.log"), [], stop);
        if (!up.Endpoints.Children.TryGetValue("streams-agent", out var agent))
        {
            throw new BenchFailure("the agent did not start");
        }
        await using var memory = new MemorySampler(agent);
        using var rows = new EngineClient(up.Endpoints);
        var workload = new MarkedWorkload(Guid.NewGuid().ToString("n")[..8]);
        var queries = new DemoQueries(rows, workload);
        await UntilAsync(async () => (await rows.QueryAsync("SELECT count() FROM ledger_barrier", stop))[0][0] != "0", RowsDeadline, stop);

        Console.WriteLine($"running {Execs} marked processes and {Connects} marked connections");
        await workload.RunProcessesAsync(Execs, stop);
        var port = await MarkedWorkload.RunConnectionsAsync(Connects, stop);
        var workloadEnd = DateTime.UtcNow;

        await UntilAsync(
            async () => (await queries.ExecsAsync(stop)).Found >= Execs && (await queries.ConnectsAsync(port, stop)).Found >= Connects, RowsDeadline, stop);
        var balance = default(BalanceView);
        await UntilAsync(async () => (balance = await queries.BalanceAsync(workloadEnd, stop)).Settled, BalanceDeadline, stop);
        if (!balance.Settled)
        {
            Console.WriteLine($"not balanced: {balance.Unsettled}");
        }

        var (execs, execRows) = await queries.ExecsAsync(stop);
        var (connects, connectRows) = await queries.ConnectsAsync(port, stop);
        var history = await HistoryAsync(up.Endpoints, rows, stop);
        var (rss, peak) = await memory.ReadAsync(stop);
        var report = new DemoReport
        {
            ExecsExpected = Execs,
            ExecsFound = execs,
            ConnectsExpected = Connects,
            ConnectsFound = connects,
            Duplicates = execRows - execs + (connectRows - connects) + history.Doubled,
            History = history,
            LedgerDifference = balance.Settled ? balance.Difference : Math.Max(balance.Difference, 1),
            AgentRssBytes = rss,
            AgentPeakRssBytes = peak,
            AgentBinaryBytes = new FileInfo(RepositoryPrograms.Agent()).Length,
            Seconds = Math.Round(clock.Elapsed.TotalSeconds, 1),
        };
        Print(report);
        await UsefulQueries.PrintAsync(rows, stop);
        await memory.DisposeAsync();
        await up.StopAsync();
        return report;
    }

    /// <summary>The independent checker's word on everything the agent ever sent, not only on what was marked.</summary>
    private static async Task<HistoryVerdict> HistoryAsync(Endpoints endpoints, EngineClient rows, CancellationToken stop)
    {
        var agent = (await rows.QueryAsync("SELECT DISTINCT agent_id FROM loss_ledger WHERE NOT startsWith(agent_id, '_')", stop))[0][0];
        var password = File.ReadAllText(endpoints.ClickHousePasswordFile).Trim();
        using var checker = new HistoryChecker(new Uri(endpoints.ClickHouse), endpoints.ClickHouseUser, password, "streams");
        return await checker.CheckAsync(agent, cancel: stop);
    }

    private static void Print(DemoReport report)
    {
        Console.WriteLine();
        Console.WriteLine($"processes     {report.ExecsFound} of {report.ExecsExpected}");
        Console.WriteLine($"connections   {report.ConnectsFound} of {report.ConnectsExpected}");
        Console.WriteLine($"duplicates    {report.Duplicates}");
        Console.WriteLine($"ledger        difference {report.LedgerDifference}");
        Console.WriteLine($"history       {report.History}");
        Console.WriteLine(
            $"agent         {report.AgentRssBytes / 1048576.0:0.0} MiB resident, peak {report.AgentPeakRssBytes / 1048576.0:0.0} MiB, binary {report.AgentBinaryBytes / 1048576.0:0.0} MiB");
        Console.WriteLine($"time          {report.Seconds:0.0} s");
        Console.WriteLine();
    }

    private static async Task UntilAsync(Func<Task<bool>> condition, TimeSpan deadline, CancellationToken stop)
    {
        var until = DateTime.UtcNow + deadline;
        while (!await condition() && DateTime.UtcNow < until)
        {
            await Task.Delay(Poll, stop);
        }
    }
}
