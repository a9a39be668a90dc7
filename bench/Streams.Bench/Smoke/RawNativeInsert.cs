using System.Diagnostics;
using System.Globalization;
using Streams.Bench.Running;
using Streams.Local;
using Streams.Schema;
using Streams.Storage;

namespace Streams.Bench.Smoke;

/// <summary>
/// The limit that the path is measured against: the same rows, prepared as `Native` blocks of a quarter million rows, posted into the same engine
/// into tables of the same structure, one insert at a time. At the engine's cheapest: rows in the order of the tables' key, and each block with an epoch of its own, as
/// keys that repeat would make every merge go row by row.
/// </summary>
internal sealed class RawNativeInsert(Endpoints endpoints, EngineClient rows)
{
    private const int RowsPerBlock = 250_000;

    /// <summary>Inserts at least <paramref name="target"/> rows. CPU is the engine's, merges settled.</summary>
    public async Task<(long Rows, double Seconds, double CpuSeconds)> RunAsync(byte[][] batches, long target, CancellationToken stop)
    {
        EventClass[] classes = [ProcessClasses.Exec, NetworkClasses.Connect];
        foreach (var eventClass in classes)
        {
            await rows.TextAsync($"CREATE TABLE raw_{eventClass.Name} AS {eventClass.Name}", "Null", stop);
        }
        var engine = endpoints.Children["streams-clickhouse"];
        var seconds = 0.0;
        var cpu = ProcessCpu.Seconds(engine);
        long inserted = 0;
        for (var i = 0; inserted < target; i++)
        {
            // Two thirds exec, as in the mix.
            var (table, columns, native, count) = Encode(classes[i % 3 == 2 ? 1 : 0], batches);
            var clock = Stopwatch.StartNew();
            await rows.InsertAsync($"INSERT INTO raw_{table} ({columns}) SETTINGS async_insert = 0, deduplicate_insert = 'disable' FORMAT Native", native, stop);
            seconds += clock.Elapsed.TotalSeconds;
            inserted += count;
        }
        await Merges.SettleAsync(rows, stop);
        var stored = 0L;
        foreach (var table in classes.Select(static eventClass => eventClass.Name))
        {
            stored += long.Parse((await rows.QueryAsync($"SELECT count() FROM raw_{table}", stop))[0][0], CultureInfo.InvariantCulture);
        }
        if (stored != inserted)
        {
            throw new BenchFailure($"{inserted} rows were inserted as raw Native, {stored} are stored");
        }
        return (inserted, seconds, ProcessCpu.Seconds(engine) - cpu);
    }

    private static (string Table, string Columns, byte[] Native, int Rows) Encode(EventClass eventClass, byte[][] batches)
    {
        using var block = new ClassBlock(eventClass);
        var receivedAt = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() * 1000;
        var origin = new BatchOrigin("bench-raw", "bench", receivedAt);
        var epoch = Epoch.NewRandom();
        var decoded = new List<DecodedBatch>();
        try
        {
            while (block.Rows < RowsPerBlock)
            {
                var before = block.Rows;
                foreach (var batch in batches)
                {
                    if (block.Rows >= RowsPerBlock || !BatchHeader.TryRead(batch, out var header, out _) || header.ClassId != eventClass.Id)
                    {
                        continue;
                    }
                    var target = new DecodedBatch();
                    var named = batch.ToArray();
                    (header with { Name = new BatchName(epoch, 0, (uint)decoded.Count), SensorEpoch = epoch }).Write(named);
                    decoded.Add(target);
                    if (!BatchDecoder.TryDecode((ReadOnlyMemory<byte>)named, target, out var error) || !block.TryAdd(target, origin))
                    {
                        throw new BenchFailure($"a prepared batch does not decode: {error}");
                    }
                }
                if (block.Rows == before)
                {
                    throw new BenchFailure($"the mix has no {eventClass.Name}");
                }
            }
            using var buffer = new SegmentedBuffer();
            block.Encode(buffer);
            using var native = new MemoryStream();
            buffer.CopyTo(native);
            return (eventClass.Name, block.ColumnList, native.ToArray(), block.Rows);
        }
        finally
        {
            decoded.ForEach(batch => batch.Dispose());
        }
    }
}
