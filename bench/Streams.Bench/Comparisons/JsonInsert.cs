using System.Globalization;
using Streams.Bench.Running;
using Streams.Local;

namespace Streams.Bench.Comparisons;

/// <summary>The rows of the raw Native insert as JSONEachRow into tables of the same structure, in posts of 50,000 and 100,000 rows.</summary>
internal sealed class JsonInsert(Endpoints endpoints, EngineClient engine)
{
    private const long Rows = 1_500_000;

    /// <returns>Rows, and CPU seconds of the engine, merges settled.</returns>
    public async Task<(long Rows, double CpuSeconds)> RunAsync(CancellationToken stop)
    {
        var lines = await JsonLines.ReadAsync(engine, stop);
        foreach (var part in lines)
        {
            await engine.TextAsync($"CREATE TABLE json_{part.Class.Name} AS {part.Class.Name}", "Null", stop);
        }

        var process = endpoints.Children["streams-clickhouse"];
        var cpu = ProcessCpu.Seconds(process);
        long inserted = 0;
        while (inserted < Rows)
        {
            foreach (var part in lines)
            {
                await engine.InsertAsync($"INSERT INTO json_{part.Class.Name} SETTINGS async_insert = 0, deduplicate_insert = 'disable' FORMAT JSONEachRow", part.Bytes, stop);
                inserted += part.Rows;
            }
        }

        await Merges.SettleAsync(engine, stop);
        var stored = 0L;
        foreach (var part in lines)
        {
            stored += long.Parse((await engine.QueryAsync($"SELECT count() FROM json_{part.Class.Name}", stop))[0][0], CultureInfo.InvariantCulture);
        }

        if (stored != inserted)
        {
            throw new BenchFailure($"{inserted} rows were inserted as JSON, {stored} are stored");
        }

        return (inserted, ProcessCpu.Seconds(process) - cpu);
    }
}
