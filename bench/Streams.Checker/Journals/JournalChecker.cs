using System.Globalization;

namespace Streams.Checker.Journals;

/// <summary>
/// Judges the rows of a source against its journal, by SQL over plain HTTP: every event that the source handed over is stored exactly
/// once, as it
/// was emitted and in order inside its lane, or the ledger counts it as lost by a cause.
/// </summary>
public sealed class JournalChecker : IDisposable
{
    private const string Ledger = "loss_ledger";
    private const int Examples = 5;

    private readonly ClickHouseHttp _clickhouse;
    private readonly string _table;
    private readonly string _mark;

    /// <param name="url">Address of ClickHouse's HTTP interface.</param>
    /// <param name="table">The table of the class that the sources emit.</param>
    /// <param name="mark">The UInt64 column that holds <see cref="EventMark"/>.</param>
    public JournalChecker(Uri url, string user, string password, string database, string table, string mark)
    {
        _clickhouse = new ClickHouseHttp(url, user, password, database);
        _table = table;
        _mark = mark;
    }

    /// <summary>Judges one source.</summary>
    /// <exception cref="InvalidOperationException">ClickHouse refused a query.</exception>
    public async Task<JournalVerdict> CheckAsync(string agentId, IReadOnlyList<Incarnation> journal, CancellationToken cancel = default)
    {
        var verdict = new JournalVerdict();
        foreach (var incarnation in journal)
        {
            verdict += await CheckAsync(agentId, incarnation, cancel).ConfigureAwait(false);
        }

        return verdict + await StrangersAsync(agentId, journal, cancel).ConfigureAwait(false)
            + await ReorderedAsync(agentId, cancel).ConfigureAwait(false);
    }

    public void Dispose() => _clickhouse.Dispose();

    private async Task<JournalVerdict> CheckAsync(string agentId, Incarnation source, CancellationToken cancel)
    {
        var key = $"agent_id = {Literal(agentId)} AND sensor_epoch = {source.SensorEpoch}";
        var findings = new List<string>();
        var stored = await RangesAsync(
            $"SELECT min(seq), max(seq) FROM (SELECT seq, seq - row_number() OVER (ORDER BY seq) AS run"
            + $" FROM (SELECT DISTINCT seq FROM {_table} WHERE {key})) GROUP BY run ORDER BY 1",
            cancel).ConfigureAwait(false);
        var (counted, causes) = await LossesAsync(key, cancel).ConfigureAwait(false);
        var emitted = new NumberRange(1, source.Kept);
        var missing = NumberRange.Without(emitted, stored).ToList();
        var lost = missing.SelectMany(range => NumberRange.Without(range, counted)).ToList();
        Say(lost.Select(range => range.ToString()), "lost", findings);

        var strange = NumberRange.Without(new NumberRange(1, ulong.MaxValue - 1), [new NumberRange(1, source.Intended)])
            .SelectMany(range => stored.Where(s => s.Last >= range.First)
                .Select(s => new NumberRange(Math.Max(s.First, range.First), s.Last))).ToList();
        Say(strange.Select(range => range.ToString()), "never emitted", findings);
        var doubled = await ExamplesAsync(
            $"SELECT seq, count(), groupArray(4)((hex(epoch), lane, batch, row)) FROM {_table} WHERE {key} GROUP BY seq HAVING count() > 1 ORDER BY 1",
            "doubled", findings, cancel).ConfigureAwait(false);
        var altered = await ExamplesAsync(
            $"SELECT seq, {_mark} FROM {_table} WHERE {key} AND {_mark} != {EventMark.Sql(source.SensorEpoch)} ORDER BY 1",
            "altered", findings, cancel).ConfigureAwait(false);

        // What was in doubt and came is as good as emitted; what was in doubt and did not come was never taken over.
        var doubt = new NumberRange(source.Kept + 1, source.Intended);
        var came = Overlap(stored, doubt) + Overlap(counted, doubt);
        var ledger = counted.Sum(range => range.Count);
        return new JournalVerdict
        {
            Emitted = emitted.Count,
            Stored = stored.Sum(range => range.Count),
            InDoubt = doubt.Count,
            CountedLosses = causes,
            Lost = lost.Sum(range => range.Count),
            Doubled = doubled,
            Altered = altered + strange.Sum(range => range.Count),
            Unaccounted = Math.Abs(emitted.Count + came - stored.Sum(range => range.Count) - ledger),
            Findings = [.. findings.Select(finding => $"{agentId} {source.SensorEpoch:x16} {finding}")],
        };
    }

    // Ranges of the ledger whose rows are not all there: a batch of a source is one range, kept or lost as a whole.
    private async Task<(List<NumberRange> Ranges, Dictionary<string, long> Causes)> LossesAsync(string key, CancellationToken cancel)
    {
        var where = $"{key} AND class = {Literal(_table)} AND rows < last - first + 1";
        var ranges = await RangesAsync($"SELECT DISTINCT first, last FROM {Ledger} WHERE {where} ORDER BY 1", cancel).ConfigureAwait(false);
        var columns = await _clickhouse.RowsAsync(
            $"SELECT name FROM system.columns WHERE database = currentDatabase() AND table = '{Ledger}' AND startsWith(name, 'lost_')",
                cancel).ConfigureAwait(false);
        var causes = new Dictionary<string, long>();
        if (ranges.Count > 0 && columns.Count > 0)
        {
            var sums = await _clickhouse.RowsAsync(
                $"SELECT {string.Join(", ", columns.Select(c => $"sum({c[0]})"))} FROM {Ledger} WHERE {where}",
                    cancel).ConfigureAwait(false);
            for (var i = 0; i < columns.Count; i++)
            {
                if (long.Parse(sums[0][i], CultureInfo.InvariantCulture) is > 0 and var count)
                {
                    causes[columns[i][0]["lost_".Length..]] = count;
                }
            }
        }

        return (ranges, causes);
    }

    private async Task<JournalVerdict> StrangersAsync(string agentId, IReadOnlyList<Incarnation> journal, CancellationToken cancel)
    {
        var known = string.Join(", ", journal.Select(incarnation => incarnation.SensorEpoch).Append(0UL));
        var findings = new List<string>();
        var count = await ExamplesAsync(
            $"SELECT hex(sensor_epoch), seq FROM {_table} WHERE agent_id = {Literal(agentId)} AND sensor_epoch NOT IN ({known})",
            $"{agentId} rows of no process of the source", findings, cancel).ConfigureAwait(false);
        return new JournalVerdict { Altered = count, Findings = findings };
    }

    // A row that is there twice is doubled, and not out of order.
    private async Task<JournalVerdict> ReorderedAsync(string agentId, CancellationToken cancel)
    {
        var findings = new List<string>();
        var count = await ExamplesAsync(
            $"""
            SELECT hex(epoch), lane, batch, row, seq, before FROM
            (
                SELECT epoch, lane, batch, row, seq, lagInFrame(seq, 1, 0) OVER (PARTITION BY epoch, lane, sensor_epoch ORDER BY batch, row
                    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS before
                FROM {_table} WHERE agent_id = {Literal(agentId)}
            ) WHERE before > seq
            """,
            $"{agentId} out of order", findings, cancel).ConfigureAwait(false);
        return new JournalVerdict { Reordered = count, Findings = findings };
    }

    private async Task<List<NumberRange>> RangesAsync(string sql, CancellationToken cancel)
    {
        var rows = await _clickhouse.RowsAsync(sql, cancel).ConfigureAwait(false);
        return
        [
            .. rows.Select(row => new NumberRange(
                ulong.Parse(row[0], CultureInfo.InvariantCulture), ulong.Parse(row[1], CultureInfo.InvariantCulture))),
        ];
    }

    private async Task<long> ExamplesAsync(string sql, string what, List<string> findings, CancellationToken cancel)
    {
        var count = await _clickhouse.RowsAsync($"SELECT count() FROM ({sql})", cancel).ConfigureAwait(false);
        var total = long.Parse(count[0][0], CultureInfo.InvariantCulture);
        if (total > 0)
        {
            var rows = await _clickhouse.RowsAsync($"{sql} LIMIT {Examples}", cancel).ConfigureAwait(false);
            findings.Add($"{what} {total}: {string.Join("; ", rows.Select(row => string.Join(' ', row)))}");
        }

        return total;
    }

    private static long Overlap(IEnumerable<NumberRange> ranges, NumberRange with) =>
        ranges.Sum(range => new NumberRange(Math.Max(range.First, with.First), Math.Min(range.Last, with.Last)).Count);

    private static void Say(IEnumerable<string> examples, string what, List<string> findings)
    {
        var all = examples.ToList();
        if (all.Count > 0)
        {
            findings.Add($"{what} in {all.Count} ranges: {string.Join(", ", all.Take(Examples))}");
        }
    }

    private static string Literal(string value) => $"'{value.Replace("\\", "\\\\").Replace("'", "\\'")}'";
}
