using System.Globalization;

namespace Streams.Checker;

/// <summary>
/// Judges an agent's history by nothing but SQL over the tables: is every stamped row there once, in order, or counted as lost with a
/// cause. It knows the columns that every table starts with, and the tables from the server's own catalogue.
/// </summary>
public sealed class HistoryChecker : IDisposable
{
    private const string Ledger = "loss_ledger";

    private readonly ClickHouseHttp _clickhouse;
    private readonly string _database;

    /// <param name="url">Address of ClickHouse's HTTP interface.</param>
    public HistoryChecker(Uri url, string user, string password, string database)
    {
        _clickhouse = new ClickHouseHttp(url, user, password, database);
        _database = database;
    }

    /// <summary>Judges the history of an agent.</summary>
    /// <param name="agentId">The agent.</param>
    /// <param name="stamped">What was stamped, by whoever knows; null takes the agent's latest barriers.</param>
    /// <exception cref="InvalidOperationException">ClickHouse refused a query.</exception>
    public async Task<HistoryVerdict> CheckAsync(
        string agentId, IReadOnlyList<StampedSequence>? stamped = null, CancellationToken cancel = default)
    {
        var agent = Literal(agentId);
        var findings = new List<string>();
        long rows = 0, doubled = 0, reordered = 0, lost = 0, uncommitted = 0;
        foreach (var table in await TablesAsync(cancel).ConfigureAwait(false))
        {
            var counts = await OneAsync(RowsOf(table, agent), cancel).ConfigureAwait(false);
            rows += counts[0];
            doubled += Found(counts[1], $"{table}: rows that are there more than once", findings);
            var missing = await ScalarAsync(MissingOf(table, agent), cancel).ConfigureAwait(false);
            lost += Found(missing, $"{table}: rows in the ledger and not in the table", findings);
            if (counts[0] == 0)
            {
                continue;
            }

            var order = await ScalarAsync(ReorderedOf(table, agent), cancel).ConfigureAwait(false);
            reordered += Found(order, $"{table}: rows out of order", findings);
            var open = await ScalarAsync(UncommittedOf(table, agent), cancel).ConfigureAwait(false);
            uncommitted += Found(open, $"{table}: rows without ledger rows", findings);
        }

        var ledger = await OneAsync(LanesOf(agent), cancel).ConfigureAwait(false);
        doubled += Found(ledger[1], "ledger rows that are there more than once", findings);
        lost += Found(ledger[2], "batch numbers missing inside lanes, or without all their ledger rows", findings);
        long unaccounted = 0;
        foreach (var sequence in stamped ?? await BarriersAsync(agent, cancel).ConfigureAwait(false))
        {
            var difference = await ScalarAsync(DifferenceOf(sequence, agent), cancel).ConfigureAwait(false);
            var what = $"{sequence.Class} cpu {sequence.Cpu} of sensor {sequence.SensorEpoch:x16}: stamped {sequence.Stamped}, difference {difference}; rows";
            unaccounted += Found(Math.Abs(difference), what, findings);
        }

        return new HistoryVerdict
        {
            Rows = rows,
            Batches = ledger[0],
            Doubled = doubled,
            Reordered = reordered,
            Lost = lost,
            Uncommitted = uncommitted,
            Unaccounted = unaccounted,
            Findings = findings,
        };
    }

    public void Dispose() => _clickhouse.Dispose();

    private static long Found(long count, string what, List<string> findings)
    {
        if (count != 0)
        {
            findings.Add($"{what}: {count}");
        }

        return count;
    }

    // Every table whose rows carry the name of their batch.
    private async Task<IReadOnlyList<string>> TablesAsync(CancellationToken cancel)
    {
        var rows = await _clickhouse.RowsAsync(
            $"SELECT table FROM system.columns WHERE database = {Literal(_database)}"
            + " AND name IN ('agent_id', 'epoch', 'lane', 'batch', 'row', 'seq')"
            + " GROUP BY table HAVING count() = 6 ORDER BY table",
            cancel).ConfigureAwait(false);
        return [.. rows.Select(row => row[0])];
    }

    private static string RowsOf(string table, string agent) =>
        $"""
        SELECT count(), sum(copies - 1) FROM
        (SELECT count() AS copies FROM {table} WHERE agent_id = {agent} GROUP BY epoch, lane, batch, row)
        """;

    // Inside a lane the numbers of one (class, CPU) only rise with batch and row.
    private static string ReorderedOf(string table, string agent) =>
        $"""
        SELECT countIf(before >= seq) FROM
        (
            SELECT seq, lagInFrame(seq, 1, 0) OVER (PARTITION BY epoch, lane, sensor_epoch, cpu ORDER BY batch, row
                ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS before
            FROM (SELECT DISTINCT epoch, lane, sensor_epoch, cpu, batch, row, seq FROM {table} WHERE agent_id = {agent} AND seq > 0)
        )
        """;

    private static string MissingOf(string table, string agent) =>
        $"""
        SELECT sum(greatest(toInt64(promised) - toInt64(stored), 0)) FROM
        (
            SELECT epoch, lane, batch, any(batch_rows) AS promised
            FROM {Ledger} WHERE {Current(agent)} AND class = {Literal(table)} GROUP BY epoch, lane, batch
        ) AS l
        LEFT JOIN
        (SELECT epoch, lane, batch, uniqExact(row) AS stored FROM {table} WHERE agent_id = {agent} GROUP BY epoch, lane, batch) AS t
        USING (epoch, lane, batch)
        """;

    private static string UncommittedOf(string table, string agent) =>
        $"""
        SELECT count() FROM {table} WHERE agent_id = {agent} AND (epoch, lane, batch) NOT IN
        (SELECT epoch, lane, batch FROM {Ledger} WHERE agent_id = {agent})
        """;

    // Batches; ledger rows too many; batches missing below the lane's last, and batches with fewer ledger rows than they say.
    private static string LanesOf(string agent) =>
        $"""
        SELECT sum(batches), sum(copies), sum(last + 1 - batches) + sum(torn) FROM
        (
            SELECT epoch, lane, count() AS batches, sum(found - kinds) AS copies, toInt64(max(batch)) AS last,
                countIf(kinds < entries) AS torn
            FROM
            (
                SELECT epoch, lane, batch, count() AS found, uniqExact(entry) AS kinds, any(entries) AS entries
                FROM {Ledger} WHERE {Current(agent)} GROUP BY epoch, lane, batch
            )
            GROUP BY epoch, lane
        )
        """;

    // A dead letter that was re-driven has its entries again, under the next revision: of a batch the highest counts.
    private static string Current(string agent) =>
        $"agent_id = {agent} AND (epoch, lane, batch, revision) IN "
        + $"(SELECT epoch, lane, batch, max(revision) FROM {Ledger} WHERE agent_id = {agent} GROUP BY epoch, lane, batch)";

    private static string DifferenceOf(StampedSequence sequence, string agent)
    {
        var key = $"agent_id = {agent} AND sensor_epoch = {sequence.SensorEpoch} AND cpu = {sequence.Cpu}";
        var stored = $"SELECT uniqExact(seq) FROM {sequence.Class} WHERE {key} AND seq <= {sequence.Stamped}";
        var lost = $"SELECT sum(last - first + 1 - rows) FROM {Ledger} WHERE {Current(agent)} AND {key}"
            + $" AND class = {Literal(sequence.Class)} AND last <= {sequence.Stamped}";
        return $"SELECT toInt64({sequence.Stamped}) - toInt64(({stored})) - toInt64(({lost}))";
    }

    private async Task<IReadOnlyList<StampedSequence>> BarriersAsync(string agent, CancellationToken cancel)
    {
        var rows = await _clickhouse.RowsAsync(
            $"SELECT sensor_epoch, class, barrier_cpu, max(stamped) FROM ledger_barrier WHERE agent_id = {agent}"
            + " GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
            cancel).ConfigureAwait(false);
        return
        [
            .. rows.Select(row => new StampedSequence(
                ulong.Parse(row[0], CultureInfo.InvariantCulture),
                row[1],
                ushort.Parse(row[2], CultureInfo.InvariantCulture),
                ulong.Parse(row[3], CultureInfo.InvariantCulture))),
        ];
    }

    private async Task<long> ScalarAsync(string sql, CancellationToken cancel) => (await OneAsync(sql, cancel).ConfigureAwait(false))[0];

    private async Task<long[]> OneAsync(string sql, CancellationToken cancel)
    {
        var rows = await _clickhouse.RowsAsync(sql, cancel).ConfigureAwait(false);
        return [.. rows.Single().Select(value => long.Parse(value, CultureInfo.InvariantCulture))];
    }

    private static string Literal(string value) => $"'{value.Replace("\\", "\\\\").Replace("'", "\\'")}'";
}
