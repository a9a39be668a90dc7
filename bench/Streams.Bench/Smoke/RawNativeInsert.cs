using System.Diagnostics;
using System.Globalization;
using Streams.Bench.Running;
using Streams.Local;
using Streams.Schema;
using Streams.Storage;

namespace Streams.Bench.Smoke;

/// <summary>
/// The limit that the path is measured against: the same rows, prepared as `Native` blocks of a quarter million rows, posted into the same engine
/// into tables of the same structure, one insert at a time.
/// </summary>
internal sealed class RawNativeInsert(Endpoints endpoints, EngineClient rows)
{
    private const int RowsPerBlock = 250_000;

    /// <summary>Inserts at least <paramref name="target"/> rows. CPU is the engine's, merges settled.</summary>
    public async Task<(long Rows, double Seconds, double CpuSeconds)> RunAsync(byte[][] batches, long target, CancellationToken stop)
    {
        var blocks = new List<(string Table, string Columns, byte[] Native, int Rows)>();
        foreach (var eventClass in new[] { ProcessClasses.Exec, NetworkClasses.Connect })
        {
            await rows.TextAsync($"CREATE TABLE raw_{eventClass.Name} AS {eventClass.Name}", "Null", stop);
            blocks.Add(Encode(eventClass, batches));
        }
        var engine = endpoints.Children["streams-clickhouse"];
        var clock = Stopwatch.StartNew();
        var cpu = ProcessCpu.Seconds(engine);
        long inserted = 0;
        for (var i = 0; inserted < target; i++)
        {
            // Two thirds exec, as in the mix.
            var (table, columns, native, count) = blocks[i % 3 == 2 ? 1 : 0];
            // The same block again and again: the table's deduplication would drop all but the first.
            await rows.InsertAsync($"INSERT INTO raw_{table} ({columns}) SETTINGS async_insert = 0, deduplicate_insert = 'disable' FORMAT Native", native, stop);
            inserted += count;
        }
        var seconds = clock.Elapsed.TotalSeconds;
        await Merges.SettleAsync(rows, stop);
        var stored = 0L;
        foreach (var (table, _, _, _) in blocks)
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
        var origin = new BatchOrigin("bench-raw", "bench", DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() * 1000);
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
                    decoded.Add(target);
                    if (!BatchDecoder.TryDecode((ReadOnlyMemory<byte>)batch, target, out var error) || !block.TryAdd(target, origin))
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
