using System.Globalization;
using Streams.Bench.Running;

namespace Streams.Bench.Watching;

/// <summary>The tables that the event mix fills, asked by SQL alone.</summary>
internal static class EventTables
{
    public static readonly string[] Names = [.. Load.EventMix.Classes.Select(static eventClass => eventClass.Name)];

    /// <summary>For IN (...).</summary>
    public static string List { get; } = string.Join(", ", Names.Select(static name => $"'{name}'"));

    /// <summary>Rows of agents whose id begins so, and how many different names they have.</summary>
    public static Task<(long Rows, long Distinct)> StoredAsync(EngineClient engine, string prefix, CancellationToken stop) => WhereAsync(engine, $"startsWith(agent_id, '{prefix}-')", stop);

    /// <summary>The same of these agents.</summary>
    public static Task<(long Rows, long Distinct)> StoredAsync(EngineClient engine, IReadOnlyList<string> agents, CancellationToken stop) => WhereAsync(engine, $"agent_id IN ({Literals(agents)})", stop);

    /// <summary>For IN (...). Ids of agents have no character that needs care: [a-z0-9-].</summary>
    public static string Literals(IReadOnlyList<string> agents) => string.Join(", ", agents.Select(static agent => $"'{agent}'"));

    private static async Task<(long Rows, long Distinct)> WhereAsync(EngineClient engine, string where, CancellationToken stop)
    {
        long all = 0, distinct = 0;
        foreach (var table in Names)
        {
            // By (agent, lane of an epoch): a set of millions of five-part names at once would take gigabytes.
            var answer = await engine.QueryAsync(
                $"SELECT sum(rows), sum(names) FROM (SELECT count() AS rows, uniqExact(batch, row) AS names FROM {table} WHERE {where} GROUP BY agent_id, epoch, lane)",
                stop);
            all += Number(answer[0][0]);
            distinct += Number(answer[0][1]);
        }

        return (all, distinct);
    }

    /// <summary>Rows that the ledger says were lost, by whatever cause.</summary>
    public static Task<long> CountedAsync(EngineClient engine, string prefix, CancellationToken stop) => CountedWhereAsync(engine, $"startsWith(agent_id, '{prefix}-')", stop);

    /// <summary>The same of these agents.</summary>
    public static Task<long> CountedAsync(EngineClient engine, IReadOnlyList<string> agents, CancellationToken stop) => CountedWhereAsync(engine, $"agent_id IN ({Literals(agents)})", stop);

    private static async Task<long> CountedWhereAsync(EngineClient engine, string where, CancellationToken stop) => Number((await engine.QueryAsync(
        $"SELECT toInt64(sum(toInt64(last - first) + 1 - rows)) FROM loss_ledger WHERE {where} AND revision = 0", stop))[0][0]);

    /// <summary>Rows in active parts: from the catalogue, so at no cost.</summary>
    public static async Task<long> RowsAsync(EngineClient engine, CancellationToken stop) => Number((await engine.QueryAsync(
        $"SELECT sum(rows) FROM system.parts WHERE active AND database = currentDatabase() AND table IN ({List})", stop))[0][0]);

    /// <summary>Bytes on disk of everything in the database, and its active parts.</summary>
    public static async Task<(long Bytes, long Parts)> DiskAsync(EngineClient engine, CancellationToken stop)
    {
        var answer = (await engine.QueryAsync("SELECT sum(bytes_on_disk), count() FROM system.parts WHERE active AND database = currentDatabase()", stop))[0];
        return (Number(answer[0]), Number(answer[1]));
    }

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}
