using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Streams.Bench.Running;
using Streams.Bench.Wire;
using Streams.Local;
using Streams.Wire.Handshake;

namespace Streams.Bench.Smoke;

/// <summary>`smoke`: twenty seconds of load through the whole path, beside a raw Native insert of the same rows.</summary>
internal static class SmokeCommand
{
    private const int Agents = 8;
    private const int PreparedBatches = 600;
    private const int Seed = 1;
    private static readonly TimeSpan FlushDeadline = TimeSpan.FromSeconds(60);

    private static readonly JsonSerializerOptions Flat = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true };

    public static Command Create()
    {
        var seconds = new Option<int>("--seconds") { Description = "Seconds of load, 1 to 600.", DefaultValueFactory = _ => 20 };
        var json = new Option<string?>("--json") { Description = "Write the result to this file, one flat object." };
        var command = new Command("smoke", "Committed rows/s and CPU per million rows of the whole path, beside a raw Native insert of the same rows.") { seconds, json };
        command.SetAction(async (parse, stop) =>
        {
            var duration = parse.GetValue(seconds);
            if (duration is < 1 or > 600)
            {
                throw new BenchFailure($"--seconds {duration}: expected 1 to 600");
            }
            var directory = Directory.CreateTempSubdirectory("streams-smoke-").FullName;
            var report = await RunAsync(directory, TimeSpan.FromSeconds(duration), stop);
            Print(report);
            if (parse.GetValue(json) is { } file)
            {
                await File.WriteAllTextAsync(file, JsonSerializer.Serialize(report, Flat) + "\n", stop);
            }
            if (report.Lost != 0 || report.Doubled != 0)
            {
                throw new BenchFailure($"{report.Lost} rows are missing, {report.Doubled} are there more than once; data and logs are in {directory}");
            }
            Directory.Delete(directory, recursive: true);
            return 0;
        });
        return command;
    }

    internal static async Task<SmokeReport> RunAsync(string directory, TimeSpan duration, CancellationToken stop)
    {
        Console.WriteLine($"preparing {PreparedBatches * EventMix.RowsPerBatch:N0} rows");
        var batches = new EventMix(Seed).Batches(PreparedBatches);
        await using var up = await UpProcess.StartAsync(
            Path.Combine(directory, "data"), Path.Combine(directory, "up.log"), ["--no-agent"], stop);
        using var rows = new EngineClient(up.Endpoints);
        var roots = new FleetRoots(await Swarm.FleetRootAsync(Path.Combine(directory, "data"), stop));
        var agents = new List<LoadAgent>();
        try
        {
            for (var i = 0; i < Agents; i++)
            {
                agents.Add(await CreateAsync(directory, i, up.Endpoints, roots, batches, stop));
            }
            Console.WriteLine($"{Agents} agents send for {duration.TotalSeconds:0} s");
            var before = ProcessCpu.Read(up.Endpoints.Children);
            var clock = Stopwatch.StartNew();
            var until = DateTime.UtcNow + duration;
            await Task.WhenAll(agents.Select(agent => Task.Factory.StartNew(() => agent.Send(until), stop, TaskCreationOptions.LongRunning, TaskScheduler.Default)));
            await Task.WhenAll(agents.Select(agent => agent.FlushAsync(FlushDeadline)));
            var elapsed = clock.Elapsed.TotalSeconds;
            await Merges.SettleAsync(rows, stop);
            var after = ProcessCpu.Read(up.Endpoints.Children);
            var sent = agents.Sum(agent => agent.RowsSent);
            var (stored, distinct) = await StoredAsync(rows, stop);

            Console.WriteLine("inserting the same rows as raw Native blocks");
            var raw = await new RawNativeInsert(up.Endpoints, rows).RunAsync(batches, stored, stop);
            await up.StopAsync();

            double PerMillion(string name) => (after[name] - before[name]) / (stored / 1e6);
            var all = after.Keys.Sum(PerMillion);
            var rawPerMillion = raw.CpuSeconds / (raw.Rows / 1e6);
            return new SmokeReport
            {
                CommittedRows = stored,
                CommittedRowsPerSecond = Math.Round(stored / elapsed),
                CpuSecondsPerMillion = Math.Round(all, 3),
                ServeCpuSecondsPerMillion = Math.Round(PerMillion("streams-serve"), 3),
                NatsCpuSecondsPerMillion = Math.Round(PerMillion("nats-server"), 3),
                ClickhouseCpuSecondsPerMillion = Math.Round(PerMillion("streams-clickhouse"), 3),
                RawNativeCpuSecondsPerMillion = Math.Round(rawPerMillion, 3),
                RawNativeRowsPerSecond = Math.Round(raw.Rows / raw.Seconds),
                CpuVsRawNative = Math.Round(rawPerMillion / all, 3),
                Lost = sent - distinct,
                Doubled = stored - distinct,
                WireBytesPerRow = Math.Round((double)agents.Sum(agent => (long)agent.Status.BytesSent) / sent, 1),
            };
        }
        finally
        {
            agents.ForEach(agent => agent.Dispose());
        }
    }

    private static async Task<LoadAgent> CreateAsync(
        string directory, int index, Endpoints endpoints, FleetRoots roots, byte[][] batches, CancellationToken stop)
    {
        var id = string.Create(CultureInfo.InvariantCulture, $"bench-{index}");
        var key = Path.Combine(directory, id + ".key");
        await StreamsCommand.RunAsync(["keys", "create-agent", id, "--key-file", key, "--data", Path.Combine(directory, "data")], stop);
        return new LoadAgent(id, key, Path.Combine(directory, id + ".connects"), new Uri(endpoints.Gateway), roots, batches);
    }

    /// <summary>Rows of the load agents, and how many different names they have.</summary>
    private static async Task<(long Rows, long Distinct)> StoredAsync(EngineClient rows, CancellationToken stop)
    {
        long all = 0, distinct = 0;
        foreach (var table in new[] { "process_exec", "network_connect" })
        {
            // By (agent, lane of an epoch): a set of millions of five-part names at once would take gigabytes.
            var answer = await rows.QueryAsync(
                $"SELECT sum(rows), sum(names) FROM (SELECT count() AS rows, uniqExact(batch, row) AS names FROM {table} WHERE startsWith(agent_id, 'bench-') GROUP BY agent_id, epoch, lane)",
                stop);
            all += long.Parse(answer[0][0], CultureInfo.InvariantCulture);
            distinct += long.Parse(answer[0][1], CultureInfo.InvariantCulture);
        }
        return (all, distinct);
    }

    private static void Print(SmokeReport report)
    {
        Console.WriteLine();
        Console.WriteLine($"committed            {report.CommittedRows:N0} rows, {report.CommittedRowsPerSecond:N0} rows/s, {report.Lost} lost, {report.Doubled} doubled");
        Console.WriteLine($"CPU-s per million    {report.CpuSecondsPerMillion:0.00} = serve {report.ServeCpuSecondsPerMillion:0.00} + nats {report.NatsCpuSecondsPerMillion:0.00} + clickhouse {report.ClickhouseCpuSecondsPerMillion:0.00}");
        Console.WriteLine($"raw Native insert    {report.RawNativeCpuSecondsPerMillion:0.00} CPU-s per million, {report.RawNativeRowsPerSecond:N0} rows/s");
        Console.WriteLine($"raw / whole path     {report.CpuVsRawNative:0.00}");
        Console.WriteLine($"wire                 {report.WireBytesPerRow:0.0} bytes/row");
    }
}
