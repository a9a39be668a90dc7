using System.Globalization;
using ClickHouse.Driver.ADO.Readers;

namespace Streams.Storage;

/// <summary>
/// Counts, for every sequence, the numbers between the barrier that was settled last and the newest one that the ledger covers without a hole, and keeps the result
/// (review 62, 64). What it reads is bounded in time: the ledger and the rows of some days, pruned by their partitions.
/// </summary>
/// <remarks>
/// A batch's rows and its ledger rows have one received_at. So where the ledger rows since some time add up from the settled barrier on, all their rows are
/// since that time too; where they do not, nothing is said: the sequence stays open. A ledger that adds up to more than it covers has an entry twice, which the
/// difference then shows. Not thread-safe.
/// </remarks>
public sealed class LedgerSettler(StorageClient client)
{
    /// <summary>Holes of one answer.</summary>
    public const int MaxHoles = 1000;

    // A row is some 150 bytes; within max_query_size (256 KiB).
    private const int RowsPerInsert = 1000;

    // What the last count found wrong, per sequence. One statement may see several states of a table that is written meanwhile, and a dead letter that is being re-driven is
    // both lost and stored for a moment: what is wrong is wrong in two counts, or it is not.
    private Dictionary<(string, ulong, string, ushort), SettledBalance> _suspects = [];

    // How far the ledger covers each sequence without a hole, from the settled barrier on.
    private static readonly string Covered = $$"""
        WITH
            settled AS ({{LedgerStateTable.Newest}}),
            redriven AS (SELECT agent_id, epoch, lane, batch FROM {{LedgerTable.Name}} WHERE revision > 0 AND received_at >= {since}),
            entries AS
            (
                SELECT l.agent_id AS agent_id, l.sensor_epoch AS sensor_epoch, l.class AS class, l.cpu AS cpu, l.last AS last, f.s0 AS s0,
                    {{KernelRows.Lost("l")}} AS lost, l.lost_unknown AS unknown,
                    f.s0 + sum(l.last - l.first + 1) OVER (PARTITION BY l.agent_id, l.sensor_epoch, l.class, l.cpu ORDER BY l.last ASC) AS reached
                FROM {{LedgerTable.Name}} AS l
                LEFT JOIN settled AS f ON l.agent_id = f.agent_id AND l.sensor_epoch = f.sensor_epoch AND l.class = f.class AND l.cpu = f.cpu
                WHERE l.received_at >= {since} AND l.last > f.s0 AND l.class IN ({{KernelRows.Classes}})
                    AND (l.revision > 0 OR (l.agent_id, l.epoch, l.lane, l.batch) NOT IN redriven)
            ),
            covered AS
            (
                SELECT agent_id, sensor_epoch, class, cpu, any(s0) AS from_s, max(if(reached >= last, last, s0)) AS c
                FROM entries GROUP BY agent_id, sensor_epoch, class, cpu
            )
        """;

    private static readonly string Query = $$"""
        {{Covered}},
            targets AS
            (
                SELECT b.agent_id AS agent_id, any(b.host) AS host, b.sensor_epoch AS sensor_epoch, b.class AS class, b.barrier_cpu AS cpu, any(v.from_s) AS from_s,
                    max(b.stamped) AS s, argMax(b.reason, (b.stamped, b.time)) = 'stop' AS stop
                FROM ledger_barrier AS b
                INNER JOIN covered AS v ON b.agent_id = v.agent_id AND b.sensor_epoch = v.sensor_epoch AND b.class = v.class AND b.barrier_cpu = v.cpu
                WHERE b.received_at >= {since} AND b.stamped > v.from_s AND b.stamped <= v.c
                GROUP BY agent_id, sensor_epoch, class, cpu
            ),
            stored_rows AS
            (
                SELECT r.agent_id AS agent_id, r.sensor_epoch AS sensor_epoch, r.class AS class, r.cpu AS cpu,
                    count() AS stored, count() - uniqExact(r.seq) AS doubled
                FROM
                (
        {{KernelRows.Union("WHERE received_at >= {since}")}}
                ) AS r
                INNER JOIN targets AS t ON r.agent_id = t.agent_id AND r.sensor_epoch = t.sensor_epoch AND r.class = t.class AND r.cpu = t.cpu
                WHERE r.seq > t.from_s AND r.seq <= t.s
                GROUP BY agent_id, sensor_epoch, class, cpu
            ),
            losses AS
            (
                SELECT e.agent_id AS agent_id, e.sensor_epoch AS sensor_epoch, e.class AS class, e.cpu AS cpu, sum(e.lost) AS lost, sum(e.unknown) AS unknown
                FROM entries AS e
                INNER JOIN targets AS t ON e.agent_id = t.agent_id AND e.sensor_epoch = t.sensor_epoch AND e.class = t.class AND e.cpu = t.cpu
                WHERE e.last <= t.s
                GROUP BY agent_id, sensor_epoch, class, cpu
            )
        SELECT t.agent_id, t.host, t.sensor_epoch, t.class, t.cpu, t.from_s, t.s, n.stored, n.doubled, l.lost, l.unknown, t.stop, toUnixTimestamp64Milli(f.settled_at)
        FROM targets AS t
        LEFT JOIN stored_rows AS n ON t.agent_id = n.agent_id AND t.sensor_epoch = n.sensor_epoch AND t.class = n.class AND t.cpu = n.cpu
        LEFT JOIN losses AS l ON t.agent_id = l.agent_id AND t.sensor_epoch = l.sensor_epoch AND t.class = l.class AND t.cpu = l.cpu
        LEFT JOIN settled AS f ON t.agent_id = f.agent_id AND t.sensor_epoch = f.sensor_epoch AND t.class = f.class AND t.cpu = f.cpu
        """;

    private static readonly string Holes = $$"""
        {{Covered}}
        SELECT b.agent_id, b.sensor_epoch, b.class, b.barrier_cpu AS cpu, greatest(any(v.c), any(f.s0)) AS c, max(b.stamped) AS s
        FROM ledger_barrier AS b
        LEFT JOIN covered AS v ON b.agent_id = v.agent_id AND b.sensor_epoch = v.sensor_epoch AND b.class = v.class AND b.barrier_cpu = v.cpu
        LEFT JOIN settled AS f ON b.agent_id = f.agent_id AND b.sensor_epoch = f.sensor_epoch AND b.class = f.class AND b.barrier_cpu = f.cpu
        WHERE b.received_at >= {since} AND b.received_at < {before}
        GROUP BY b.agent_id, b.sensor_epoch, b.class, b.barrier_cpu
        HAVING s > c
        ORDER BY b.agent_id, b.sensor_epoch, b.class, cpu
        LIMIT {{MaxHoles}}
        """;

    /// <summary>
    /// Sequences of which a barrier was received before <paramref name="before"/> and still is not covered: their batches never came, or came with a hole. What
    /// <see cref="SettleAsync"/> leaves open in silence. At most <see cref="MaxHoles"/>.
    /// </summary>
    public Task<List<LedgerHole>> FindHolesAsync(DateTimeOffset since, DateTimeOffset before, CancellationToken cancellation = default) => client.QueryAsync(
        Holes.Replace("{since}", Literal(since), StringComparison.Ordinal).Replace("{before}", Literal(before), StringComparison.Ordinal),
        static r => new LedgerHole(r.GetString(0), Number(r, 1), r.GetString(2), (ushort)Number(r, 3), Number(r, 4), Number(r, 5)),
        cancellation);

    /// <summary>Settles what can be settled.</summary>
    /// <param name="since">Only what was received since then.</param>
    /// <param name="pause">
    /// A balanced sequence is kept at most once in this time, or at a stop: a row a minute for every CPU of a fleet would outgrow the events of a quiet one. An unbalanced one
    /// is kept when a second call finds the same, and so told once.
    /// </param>
    /// <param name="unbalanced">Told of each finding before it is kept: a crash between the two tells it twice rather than never.</param>
    /// <returns>How many were kept.</returns>
    public async Task<int> SettleAsync(DateTimeOffset since, TimeSpan pause, Action<SettledBalance> unbalanced, CancellationToken cancellation = default)
    {
        var due = (DateTimeOffset.UtcNow - pause).ToUnixTimeMilliseconds();
        var counted = await CountAsync(since, cancellation).ConfigureAwait(false);
        var suspects = counted.Select(static entry => entry.Balance).Where(static balance => !balance.IsBalanced).ToDictionary(static balance => balance.Sequence);
        var kept = counted.Where(entry => entry.Balance.IsBalanced ? entry.Balance.Stop || entry.SettledAt <= due : IsConfirmed(entry.Balance))
            .Select(static entry => entry.Balance).ToArray();
        _suspects = suspects;
        foreach (var finding in kept)
        {
            if (!finding.IsBalanced)
            {
                unbalanced(finding);
            }
        }

        foreach (var chunk in kept.Chunk(RowsPerInsert))
        {
            await KeepAsync(chunk, cancellation).ConfigureAwait(false);
        }

        return kept.Length;
    }

    private bool IsConfirmed(SettledBalance balance) => _suspects.TryGetValue(balance.Sequence, out var before) && before.From == balance.From
        && before.Difference == balance.Difference && before.Doubled == balance.Doubled && before.Unknown == balance.Unknown;

    private Task<List<(SettledBalance Balance, long SettledAt)>> CountAsync(DateTimeOffset since, CancellationToken cancellation) => client.QueryAsync(
        Query.Replace("{since}", Literal(since), StringComparison.Ordinal),
        static r => (
            new SettledBalance(
                r.GetString(0), r.GetString(1), Number(r, 2), r.GetString(3), (ushort)Number(r, 4), Number(r, 5), Number(r, 6), Number(r, 7), Number(r, 8), Number(r, 9),
                Number(r, 10), Number(r, 11) != 0),
            (long)Number(r, 12)),
        cancellation);

    // Cumulative: the settled row before it is added in the same statement, so that a second settler that read an older one adds to what is there now.
    private Task KeepAsync(IEnumerable<SettledBalance> balances, CancellationToken cancellation)
    {
        var rows = string.Join(", ", balances.Select(static b => string.Create(
            CultureInfo.InvariantCulture,
            $"({Sql.Literal(b.AgentId)}, {Sql.Literal(b.Host)}, {b.SensorEpoch}, {Sql.Literal(b.Class)}, {b.Cpu}, {b.From}, {b.Stamped}, {b.Stored}, {b.Doubled}, {b.Lost}, {b.Unknown}, '{(b.IsBalanced ? "balanced" : "unbalanced")}')")));
        return client.ExecuteAsync(
            $"""
            INSERT INTO {LedgerStateTable.Name} (agent_id, host, received_at, sensor_epoch, class, cpu, stamped, stored, doubled, lost, lost_unknown, state)
            SELECT v.agent_id, v.host, now64(6), v.sensor_epoch, v.class, v.cpu, v.s, f.stored0 + v.stored, f.doubled0 + v.doubled, f.lost0 + v.lost, f.unknown0 + v.unknown, v.state
            FROM values('agent_id String, host String, sensor_epoch UInt64, class String, cpu UInt16, from_s UInt64, s UInt64, stored UInt64, doubled UInt64, lost UInt64, unknown UInt64, state String', {rows}) AS v
            LEFT JOIN ({LedgerStateTable.Newest}) AS f ON v.agent_id = f.agent_id AND v.sensor_epoch = f.sensor_epoch AND v.class = f.class AND v.cpu = f.cpu
            WHERE f.s0 = v.from_s
            SETTINGS async_insert = 0
            """,
            cancellation);
    }

    private static string Literal(DateTimeOffset time) =>
        string.Create(CultureInfo.InvariantCulture, $"fromUnixTimestamp64Micro(toInt64({time.ToUnixTimeMilliseconds() * 1000}))");

    private static ulong Number(ClickHouseDataReader r, int i) => Convert.ToUInt64(r.GetValue(i), CultureInfo.InvariantCulture);
}
