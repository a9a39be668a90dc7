using ClickHouse.Driver;
using ClickHouse.Driver.ADO;
using Streams.Bench.Running;
using Streams.Local;
using Streams.Schema;
using Streams.Storage;

namespace Streams.Bench.Comparisons;

/// <summary>
/// Our merge, encode and POST beside ClickHouse.Driver's bulk insert: the same rows over HTTP into Null tables of the same columns, CPU of this process only.
/// Ours begins with decoded batches, the driver's with rows as it reads them itself: what each of them takes as its input is ready beforehand.
/// </summary>
internal sealed class DriverCase(Endpoints endpoints, EngineClient engine, PreparedBlocks blocks) : IDisposable
{
    private const string Database = "bench_null";
    private const int OurBlocks = 36;
    private const int DriverRows = 60_000;
    private const int DriverRounds = 5;

    private readonly StorageMetrics _metrics = new();
    private readonly SegmentedBuffer _buffer = new();

    /// <returns>Rows per CPU-second of ours and of the better of the driver's ways.</returns>
    /// <exception cref="BenchFailure">An insert failed.</exception>
    public async Task<(double Ours, double Driver)> MeasureAsync(CancellationToken stop)
    {
        await engine.TextAsync($"CREATE DATABASE {Database}", "Null", stop);
        foreach (var eventClass in new[] { ProcessClasses.Exec, NetworkClasses.Connect })
        {
            await engine.TextAsync($"CREATE TABLE {Database}.{eventClass.Name} AS streams.{eventClass.Name} ENGINE = Null", "Null", stop);
        }

        using var storage = new StorageClient(new StorageOptions
        {
            Url = new Uri(endpoints.ClickHouse),
            User = endpoints.ClickHouseUser,
            Password = (await File.ReadAllTextAsync(endpoints.ClickHousePasswordFile, stop)).Trim(),
            Database = Database,
        });
        await OursAsync(storage, 3, stop);
        var ours = await OursAsync(storage, OurBlocks, stop);
        var driver = Math.Max(await DriverAsync(compress: false, stop), await DriverAsync(compress: true, stop));
        return (ours, driver);
    }

    public void Dispose()
    {
        _metrics.Dispose();
        _buffer.Dispose();
    }

    private async Task<double> OursAsync(StorageClient storage, int count, CancellationToken stop)
    {
        var inserter = new TableInserter(storage, _metrics);
        var cpu = Environment.CpuUsage.TotalTime;
        var rows = 0L;
        for (var i = 0; i < count; i++)
        {
            var block = blocks.Merge(blocks.OfMix(i));
            var result = await inserter.InsertAsync(block, _buffer, Guid.NewGuid().ToString("N"), new InsertLabel("bench", i), repeated: false, stop);
            if (result.Outcome != InsertOutcome.Ok)
            {
                throw new BenchFailure($"our insert: {result.Outcome}, {result.Message}");
            }

            rows += block.Rows;
        }

        return rows / (Environment.CpuUsage.TotalTime - cpu).TotalSeconds;
    }

    private async Task<double> DriverAsync(bool compress, CancellationToken stop)
    {
        using var client = new ClickHouseClient(new ClickHouseClientSettings
        {
            Host = new Uri(endpoints.ClickHouse).Host,
            Port = (ushort)new Uri(endpoints.ClickHouse).Port,
            Username = endpoints.ClickHouseUser,
            Password = (await File.ReadAllTextAsync(endpoints.ClickHousePasswordFile, stop)).Trim(),
            Database = Database,
            UseCompression = compress,
            Timeout = TimeSpan.FromMinutes(2),
        });
        var (execColumns, exec) = await ReadAsync(client, ProcessClasses.Exec, DriverRows * 2 / 3, stop);
        var (connectColumns, connect) = await ReadAsync(client, NetworkClasses.Connect, DriverRows / 3, stop);

        // One round more, the first, warms up.
        var rows = 0L;
        var cpu = TimeSpan.Zero;
        for (var round = 0; round <= DriverRounds; round++)
        {
            if (round == 1)
            {
                rows = 0;
                cpu = Environment.CpuUsage.TotalTime;
            }

            rows += await client.InsertBinaryAsync(ProcessClasses.Exec.Name, execColumns, exec, cancellationToken: stop);
            rows += await client.InsertBinaryAsync(NetworkClasses.Connect.Name, connectColumns, connect, cancellationToken: stop);
        }

        return rows / (Environment.CpuUsage.TotalTime - cpu).TotalSeconds;
    }

    /// <summary>The rows of the mix as the driver gives them: the types that it takes without conversion.</summary>
    private static async Task<(string[] Columns, List<object[]> Rows)> ReadAsync(ClickHouseClient client, EventClass eventClass, int count, CancellationToken stop)
    {
        using var reader = await client.ExecuteReaderAsync($"SELECT * FROM streams.raw_{eventClass.Name} LIMIT {count}", null, null, stop);
        var columns = new string[reader.FieldCount];
        for (var i = 0; i < columns.Length; i++)
        {
            columns[i] = reader.GetName(i);
        }

        var rows = new List<object[]>(count);
        while (await reader.ReadAsync(stop))
        {
            var row = new object[columns.Length];
            reader.GetValues(row);
            rows.Add(row);
        }

        return rows.Count == count ? (columns, rows) : throw new BenchFailure($"raw_{eventClass.Name} has {rows.Count} rows, {count} are needed");
    }
}
