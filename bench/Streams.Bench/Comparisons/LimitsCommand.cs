using System.CommandLine;
using System.Text.Json;
using Streams.Bench.Comparisons.Peers;
using Streams.Bench.Load;
using Streams.Bench.Running;
using Streams.Bench.Smoke;
using Streams.Bench.Wire;

namespace Streams.Bench.Comparisons;

/// <summary>`limits`: what the path does beside what the parts it stands on could do, and beside what others do, all measured in one run.</summary>
internal static class LimitsCommand
{
    private const int Seed = 1;
    private const int PreparedBatches = 750;
    private const long InsertedRows = 3_000_000;
    private const int AeadBytes = 16 * 1024;

    private static readonly JsonSerializerOptions Flat = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull,
        WriteIndented = true,
    };

    public static Command Create()
    {
        var json = new Option<string?>("--json") { Description = "Write the result to this file, one flat object." };
        var seconds = new Option<int>("--seconds") { Description = "Seconds of load through the whole path, which peers are compared with, 1 to 600.", DefaultValueFactory = _ => 20 };
        var rows = new Option<double>("--peer-rows") { Description = "Million rows that each peer is fed, 0.1 to 100.", DefaultValueFactory = _ => 1.5 };
        var collector = new Option<string?>("--collector")
        {
            Description = "A program to compare with: reads JSON lines on stdin, posts them as they are to the address in CLICKHOUSE_URL, ends when stdin has ended and all is posted.",
        };
        var command = new Command("limits", "Native encode beside memcpy, our insert beside the driver's, Akka graphs beside loops, the whole path beside other collectors.") { json, seconds, rows, collector };
        command.SetAction(async (parse, stop) =>
        {
            var duration = parse.GetValue(seconds);
            if (duration is < 1 or > 600)
            {
                throw new BenchFailure($"--seconds {duration}: expected 1 to 600");
            }

            var million = parse.GetValue(rows);
            if (million is not (>= 0.1 and <= 100))
            {
                throw new BenchFailure($"--peer-rows {million}: expected 0.1 to 100");
            }

            var directory = Directory.CreateTempSubdirectory("streams-limits-").FullName;
            var run = new Run(directory, TimeSpan.FromSeconds(duration), (long)(million * 1e6), Collector.Of(parse.GetValue(collector)), SyslogNg.Find());
            var report = new LimitsReport();
            try
            {
                await MeasureAsync(run, report, stop);
            }
            catch (BenchFailure failure)
            {
                throw new BenchFailure($"{failure.Message}; data and logs are in {directory}");
            }
            finally
            {
                // Also when a part failed: what was measured before it was measured.
                if (parse.GetValue(json) is { } file)
                {
                    await File.WriteAllTextAsync(file, JsonSerializer.Serialize(report, Flat) + "\n", CancellationToken.None);
                }
            }

            Directory.Delete(directory, recursive: true);
            return 0;
        });
        return command;
    }

    private static async Task MeasureAsync(Run run, LimitsReport report, CancellationToken stop)
    {
        Console.WriteLine($"preparing {PreparedBatches * EventMix.RowsPerBatch:N0} rows");
        using var mix = new EventMix(Seed);
        var batches = mix.Batches(PreparedBatches);
        using var blocks = PreparedBlocks.Of(batches);
        (report.NativeEncodeGbPerSecond, report.MemcpyGbPerSecond) = EncodeCase.Measure(blocks);
        report.BareAeadGbPerSecond = AeadBytes / BareCrypto.SealOpenSeconds(AeadBytes, 20_000) / 1e9;
        Console.WriteLine($"Native encode        {report.NativeEncodeGbPerSecond:0.00} GB/s, memcpy {report.MemcpyGbPerSecond:0.00}: {report.NativeEncodeVsMemcpy:0.000}");
        Console.WriteLine($"bare AEAD            {report.BareAeadGbPerSecond:0.00} GB/s sealed and opened again, 16 KiB");

        report.Stages = await StageCase.MeasureAsync(run.Directory, stop);
        Console.WriteLine($"worker's graph       {report.Stages.WorkerGraphRowsPerSecond:N0} rows/s, loop {report.Stages.WorkerLoopRowsPerSecond:N0}: {report.Stages.WorkerRatio:0.000}");
        Console.WriteLine($"gateway's graph      {report.Stages.GatewayGraphRowsPerSecond:N0} rows/s, loop {report.Stages.GatewayLoopRowsPerSecond:N0}: {report.Stages.GatewayRatio:0.000}");

        if (run.HasPeers)
        {
            Console.WriteLine("the whole path");
            report.PathRowsPerCpuSecond = await WholePath.RowsPerCpuSecondAsync(Directory.CreateDirectory(Path.Combine(run.Directory, "path")).FullName, run.Load, stop);
            Console.WriteLine($"whole path           {report.PathRowsPerCpuSecond:N0} rows per CPU-second, ClickHouse included");
        }

        await using var up = await UpProcess.StartAsync(Path.Combine(run.Directory, "data"), Path.Combine(run.Directory, "up.log"), ["--no-agent"], stop);
        using var rows = new EngineClient(up.Endpoints);
        await InsertsAsync(up, rows, batches, blocks, report, stop);
        await PeersAsync(run, up, rows, report, stop);
        await up.StopAsync();
    }

    private static async Task InsertsAsync(
        UpProcess up, EngineClient rows, byte[][] batches, PreparedBlocks blocks, LimitsReport report, CancellationToken stop)
    {
        var raw = await new RawNativeInsert(up.Endpoints, rows).RunAsync(batches, InsertedRows, stop);
        report.RawNativeCpuSecondsPerMillion = raw.CpuSeconds / (raw.Rows / 1e6);
        var json = await new JsonInsert(up.Endpoints, rows).RunAsync(stop);
        report.JsonEachRowCpuSecondsPerMillion = json.CpuSeconds / (json.Rows / 1e6);
        Console.WriteLine($"insert, CPU-s/M rows Native {report.RawNativeCpuSecondsPerMillion:0.00}, JSONEachRow {report.JsonEachRowCpuSecondsPerMillion:0.00}, engine only, merges settled");

        using var driver = new DriverCase(up.Endpoints, rows, blocks);
        (report.EncodeRowsPerCpuSecond, report.DriverBulkRowsPerCpuSecond) = await driver.MeasureAsync(stop);
        Console.WriteLine($"insert, client       {report.EncodeRowsPerCpuSecond:N0} rows per CPU-second, the driver's bulk insert {report.DriverBulkRowsPerCpuSecond:N0}: {report.EncodeVsDriverBulk:0.00}");
    }

    private static async Task PeersAsync(Run run, UpProcess up, EngineClient rows, LimitsReport report, CancellationToken stop)
    {
        if (run.SyslogNg is null)
        {
            Console.WriteLine($"syslog-ng            {SyslogNg.HowToInstall}");
        }

        if (!run.HasPeers)
        {
            return;
        }

        var peers = new PeerCase(up.Endpoints, rows, await JsonLines.ReadAsync(rows, stop), run.PeerRows);
        if (run.SyslogNg is { } syslogNg)
        {
            report.SyslogNgRowsPerCpuSecond = await peers.MeasureAsync("syslog-ng", (targets, feed) => syslogNg.RunAsync(run.Directory, targets, feed, stop), stop);
            Console.WriteLine($"syslog-ng            {report.SyslogNgRowsPerCpuSecond:N0} rows per CPU-second, ClickHouse included; ours {report.PathRowsPerCpuSecond:N0}: {report.VsSyslogNg:0.00}");
        }

        if (run.Collector is { } other)
        {
            report.CollectorRowsPerCpuSecond = await peers.MeasureAsync("collector", (targets, feed) => other.RunAsync(run.Directory, targets, feed, stop), stop);
            Console.WriteLine($"{Path.GetFileName(other.Program),-20} {report.CollectorRowsPerCpuSecond:N0} rows per CPU-second, ClickHouse included; ours {report.PathRowsPerCpuSecond:N0}: {report.VsCollector:0.00}");
        }
    }

    /// <param name="Load">Of the whole path.</param>
    private sealed record Run(string Directory, TimeSpan Load, long PeerRows, Collector? Collector, SyslogNg? SyslogNg)
    {
        public bool HasPeers => Collector is not null || SyslogNg is not null;
    }
}
