using System.Diagnostics;
using System.Globalization;
using Streams.Queue;
using Streams.Schema;
using Streams.Storage;
using Streams.Testing;
using Xunit.Abstractions;

namespace Streams.Worker.Tests.EndToEnd;

/// <summary>Rows per second and CPU from the queue to ClickHouse, beside a raw Native insert of the same rows in the same run.</summary>
[Collection(WorkerCollection.Name)]
public sealed class ThroughputMeasure(WorkerStack stack, ITestOutputHelper output)
{
    private const int Rows = 1000;
    private const uint PerMessage = 8;
    private const int Messages = 500;

    // Not an old day: the tables' TTL would drop the rows while they are counted.
    private static readonly long ReceivedAt = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() * 1000;

    [MeasureFact]
    public async Task From_queue_to_table_beside_a_raw_insert()
    {
        var batches = new List<byte[]>();
        var epoch = Epoch.NewRandom();
        for (uint n = 0; n < Messages * PerMessage; n++)
        {
            batches.Add(Fakes.Batches.Seal(new BatchName(epoch, 1, n), Rows, (n * (ulong)Rows) + 1));
        }

        var rows = (long)batches.Count * Rows;
        output.WriteLine($"{rows} rows, {batches.Average(batch => batch.Length) / Rows:0.0} bytes a row in the queue");
        var first = await stack.StartAsync();
        await first.StopAsync();
        var raw = await RawAsync(batches, rows);
        await Eventually.TrueAsync(
            async () => await stack.ClickHouse.QueryAsync("SELECT count() FROM system.merges") == "0",
            "the merges of the raw insert have settled",
            TimeSpan.FromMinutes(1));
        // Rows without ledger rows are what recovery looks for: these are none of the worker's.
        await stack.ClickHouse.QueryAsync("TRUNCATE TABLE process_exec");
        var path = await PathAsync(batches, epoch, rows);
        var all = (path.Own + path.Engine) / (raw.Own + raw.Engine);
        output.WriteLine($"worker process CPU {path.Own / raw.Own:0.00}x, all {all:0.00}x of the raw insert");
        Assert.True(path.Own < 3 * (raw.Own + raw.Engine), "the path costs more than three times the raw insert");
    }

    private async Task<(double Own, double Engine)> RawAsync(List<byte[]> batches, long rows)
    {
        using var client = new StorageClient(
            new StorageOptions { Url = stack.ClickHouse.Url, User = stack.ClickHouse.User, Password = stack.ClickHouse.Password });
        using var metrics = new StorageMetrics();
        using var buffer = new SegmentedBuffer();
        using var block = new ClassBlock(Fakes.Batches.Exec);
        var inserter = new TableInserter(client, metrics);
        var decoded = new List<DecodedBatch>();
        foreach (var bytes in batches)
        {
            var batch = new DecodedBatch();
            Assert.True(BatchDecoder.TryDecode(bytes, batch, out _));
            decoded.Add(batch);
        }

        var before = Take();
        for (var i = 0; i < decoded.Count; i++)
        {
            Assert.True(block.TryAdd(decoded[i], new BatchOrigin("raw", "host", ReceivedAt)));
            if (block.Rows >= 500_000 || i == decoded.Count - 1)
            {
                var result = await inserter.InsertAsync(block, buffer, $"raw-{i}", new InsertLabel("raw", i), false, default);
                Assert.Equal(InsertOutcome.Ok, result.Outcome);
                block.Reset();
            }
        }

        var used = Report("raw Native insert, 500,000 rows a block", before, rows);
        decoded.ForEach(batch => batch.Dispose());
        return used;
    }

    private async Task<(double Own, double Engine)> PathAsync(List<byte[]> batches, Epoch epoch, long rows)
    {
        string[] agents =
        [
            .. Enumerable.Range(0, 100).Select(i => $"load-{i}")
                .GroupBy(agent => Subjects.PartitionOf(agent, WorkerStack.Partitions)).Select(group => group.First()),
        ];
        for (var i = 0; i < agents.Length; i++)
        {
            await using var publisher = await Publisher.OpenAsync(
                stack.Gateway,
                Subjects.PartitionOf(agents[i], WorkerStack.Partitions),
                new PublisherOptions(),
                result => Debug.Assert(result.ErrorCode == 0));
            // Both agents have half of the messages, each numbered from 0 in its own lane.
            var half = batches.Count / agents.Length;
            for (var at = 0; at < half; at += (int)PerMessage)
            {
                var payload = batches.Skip(at).Take((int)PerMessage).SelectMany(batch => batch).ToArray();
                await publisher.PublishAsync(agents[i], new MessageHeaders
                {
                    Epoch = epoch,
                    Lane = 1,
                    First = (uint)at,
                    Count = PerMessage,
                    Class = PriorityClass.Event,
                    ReceivedAt = ReceivedAt,
                    Generation = 1,
                    Catalogue = Catalogue.Version,
                    Host = "host",
                }, payload);
            }

            await publisher.DrainAsync();
        }

        var before = Take();
        var worker = await stack.StartAsync(stack.Options(TimeSpan.FromSeconds(15)), running: false);
        // The partition's own word, at no cost to what is measured; the table is asked afterwards.
        var last = (ulong)(batches.Count / agents.Length / PerMessage);
        await Eventually.TrueAsync(
            () => worker.Health.Partitions.All(partition => partition.Committed == last),
            "all messages are committed",
            TimeSpan.FromMinutes(3));
        var used = Report("queue to committed ClickHouse rows, start of the worker included", before, rows);
        var parts = await stack.ClickHouse.QueryAsync(
            "SELECT count(), round(avg(rows)), max(rows) FROM system.parts WHERE table = 'process_exec' AND level = 0");
        output.WriteLine($"blocks of process_exec: {parts} (new parts, mean and largest rows)");
        foreach (var line in stack.Log.Lines.Where(line =>
            line.StartsWith("Warning", StringComparison.Ordinal) || line.StartsWith("Error", StringComparison.Ordinal)))
        {
            output.WriteLine(line);
        }

        Assert.Equal(rows.ToString(CultureInfo.InvariantCulture), await stack.ClickHouse.QueryAsync(
            "SELECT sum(rows) FROM loss_ledger WHERE agent_id LIKE 'load-%'"));
        Assert.Equal(rows.ToString(CultureInfo.InvariantCulture), await stack.ClickHouse.QueryAsync(
            "SELECT count() FROM process_exec WHERE agent_id LIKE 'load-%'"));
        await worker.StopAsync();
        return used;
    }

    private (long At, double Own, double Engine, double Nats) Take() => (
        Stopwatch.GetTimestamp(),
        Process.GetCurrentProcess().TotalProcessorTime.TotalSeconds,
        Process.GetProcessById(stack.ClickHouse.Server.Process.Id).TotalProcessorTime.TotalSeconds,
        Process.GetProcessById(stack.Nats.Server.Process.Id).TotalProcessorTime.TotalSeconds);

    private (double Own, double Engine) Report(string what, (long At, double Own, double Engine, double Nats) before, long rows)
    {
        var seconds = Stopwatch.GetElapsedTime(before.At).TotalSeconds;
        var now = Take();
        var million = rows / 1e6;
        output.WriteLine(
            $"{what}: {rows / seconds / 1e6:0.00} M rows/s; CPU-s per million rows: this process {(now.Own - before.Own) / million:0.00}, "
            + $"ClickHouse {(now.Engine - before.Engine) / million:0.00}, NATS {(now.Nats - before.Nats) / million:0.00}");
        return (now.Own - before.Own, now.Engine - before.Engine);
    }
}
