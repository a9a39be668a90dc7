using System.Text;
using Streams.Bench.Running;
using Streams.Schema;

namespace Streams.Bench.Comparisons;

/// <summary>Rows of a class as lines of JSON, whole lines only.</summary>
/// <param name="Class">Whose.</param>
/// <param name="Bytes">Each line ended by a newline.</param>
/// <param name="Rows">Lines.</param>
internal sealed record JsonLines(EventClass Class, byte[] Bytes, int Rows)
{
    private const int Prepared = 150_000;

    /// <summary>The rows that were inserted as raw Native, as the engine itself writes them: two thirds process_exec.</summary>
    public static async Task<JsonLines[]> ReadAsync(EngineClient engine, CancellationToken stop) =>
    [
        await ReadAsync(engine, ProcessClasses.Exec, Prepared * 2 / 3, stop),
        await ReadAsync(engine, NetworkClasses.Connect, Prepared / 3, stop),
    ];

    private static async Task<JsonLines> ReadAsync(EngineClient engine, EventClass eventClass, int rows, CancellationToken stop)
    {
        var bytes = Encoding.UTF8.GetBytes(await engine.TextAsync($"SELECT * FROM raw_{eventClass.Name} LIMIT {rows}", "JSONEachRow", stop));
        var lines = bytes.AsSpan().Count((byte)'\n');
        return lines == rows ? new JsonLines(eventClass, bytes, rows) : throw new BenchFailure($"{lines} lines of JSON for {rows} rows of {eventClass.Name}");
    }
}
