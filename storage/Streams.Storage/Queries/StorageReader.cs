using System.Globalization;
using ClickHouse.Driver.ADO.Readers;
using Streams.Schema;

namespace Streams.Storage;

/// <summary>Read-backs: what ClickHouse holds decides, not what anyone remembers. Thread-safe.</summary>
public sealed class StorageReader(StorageClient client)
{
    // A condition is some 150 bytes; far within max_query_size (256 KiB).
    private const int RangesPerQuery = 100;

    private const string AllComplete = "uniqExact(entry) = any(entries)";

    /// <summary>
    /// All lanes with a committed batch. Lanes are never committed with holes (ledger rows go in range order), so the largest
    /// complete batch is the watermark.
    /// </summary>
    /// <param name="since">Only lanes with a ledger row since then (microseconds); 0 for all.</param>
    /// <param name="agentId">Only this agent's; null for all.</param>
    public Task<List<CommittedLane>> CommittedLanesAsync(
        long since = 0, string? agentId = null, CancellationToken cancellation = default) => client.QueryAsync(
        $"""
        SELECT agent_id, epoch, epoch_low, lane, toUInt32(max(batch) + 1) AS committed, toUnixTimestamp64Micro(max(at)) AS last_at
        FROM
        (
            SELECT agent_id, epoch, epoch_low, lane, batch, max(received_at) AS at
            FROM {LedgerTable.Name}
            WHERE revision = 0 AND received_at >= fromUnixTimestamp64Micro(toInt64({since}))
                {(agentId is null ? "" : $"AND agent_id = {Sql.Literal(agentId)}")}
            GROUP BY agent_id, epoch, epoch_low, lane, batch
            HAVING {AllComplete}
        )
        GROUP BY agent_id, epoch, epoch_low, lane
        ORDER BY agent_id, epoch, lane
        """,
        static r => new CommittedLane(
            r.GetString(0), Epoch.FromHalves(UInt64(r, 1), UInt64(r, 2)), UInt32(r, 3), UInt32(r, 4), Int64(r, 5)),
        cancellation);

    /// <summary>
    /// The batches from <paramref name="from"/> on that any class table holds for a lane, over all days since
    /// <paramref name="since"/>: what was inserted and did not get its ledger rows.
    /// </summary>
    public Task<List<StoredBatch>> StoredBatchesAsync(
        string agentId, Epoch epoch, uint lane, uint from, long since, CancellationToken cancellation = default)
    {
        var where = string.Create(
            CultureInfo.InvariantCulture,
            $"""
            WHERE agent_id = {Sql.Literal(agentId)} AND epoch = {epoch.Prefix} AND lane = {lane} AND batch >= {from}
                AND received_at >= toStartOfDay(fromUnixTimestamp64Micro(toInt64({since}), 'UTC'))
            """);
        var sql = string.Join(
            " UNION ALL ",
            Catalogue.Classes.Select(c =>
                $"SELECT '{c.Name}' AS t, batch, count() AS n, uniqExact(row) AS d FROM {c.Name} {where} GROUP BY batch"));
        return client.QueryAsync($"SELECT t, batch, n, d FROM ({sql}) ORDER BY batch", ReadStored, cancellation);
    }

    /// <summary>
    /// Resolves an insert in doubt: what <paramref name="table"/> (a class's or loss_ledger) holds of the given batches. A batch that is not in the answer is not
    /// stored. One query for 100 ranges; it reads the names of rows alone.
    /// </summary>
    /// <param name="revision">Of the ledger: 0 as first committed, 1 re-driven. Of no meaning for other tables.</param>
    public async Task<List<NamedBatch>> FindAsync(
        string table, IEnumerable<BatchRange> ranges, byte revision = 0, CancellationToken cancellation = default)
    {
        var row = table switch
        {
            LedgerTable.Name => "entry",
            DeadLetterTable.Name => "batch",
            _ => "row",
        };
        var found = new List<NamedBatch>();
        foreach (var chunk in ranges.Chunk(RangesPerQuery))
        {
            found.AddRange(await client.QueryAsync(
                $"SELECT agent_id, epoch, lane, batch, count(), uniqExact({row}) {From(table, chunk, revision)} GROUP BY agent_id, epoch, lane, batch ORDER BY ALL",
                static r => new NamedBatch(r.GetString(0), UInt64(r, 1), UInt32(r, 2), UInt32(r, 3), UInt64(r, 4), UInt64(r, 5)),
                cancellation).ConfigureAwait(false));
        }

        return found;
    }

    /// <summary>Reads every column of what <see cref="FindAsync"/> finds: their names may be readable where other columns are not.</summary>
    /// <exception cref="ClickHouse.Driver.ClickHouseServerException">One cannot be read.</exception>
    public async Task ReadAsync(string table, IEnumerable<BatchRange> ranges, byte revision = 0, CancellationToken cancellation = default)
    {
        foreach (var chunk in ranges.Chunk(RangesPerQuery))
        {
            await client.ExecuteAsync($"SELECT * {From(table, chunk, revision)} FORMAT Null", cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Ends whatever inserts of an owner still run, and waits for their end.</summary>
    /// <returns>Inserts that were found running.</returns>
    public async Task<int> KillInsertsAsync(string owner, CancellationToken cancellation = default)
    {
        // The pattern is anchored: this statement begins with KILL and never matches itself.
        var killed = await client.QueryAsync(
            $"KILL QUERY WHERE query LIKE {Sql.Literal(InsertLabel.PatternOf(owner))} SYNC",
            static _ => 0,
            cancellation).ConfigureAwait(false);
        return killed.Count;
    }

    // A re-driven dead letter has its entries once more, under the next revision.
    private static string From(string table, IEnumerable<BatchRange> ranges, byte revision) =>
        $"FROM {table} WHERE ({string.Join(" OR ", ranges.Select(Condition))})"
        + (table == LedgerTable.Name ? string.Create(CultureInfo.InvariantCulture, $" AND revision = {revision}") : "");

    private static string Condition(BatchRange range) => string.Create(
        CultureInfo.InvariantCulture,
        $"(agent_id = {Sql.Literal(range.AgentId)} AND epoch = {range.Epoch.Prefix} AND lane = {range.Lane} AND batch BETWEEN {range.First} AND {range.Last})");

    private static StoredBatch ReadStored(ClickHouseDataReader r) => new(r.GetString(0), UInt32(r, 1), UInt64(r, 2), UInt64(r, 3));

    private static uint UInt32(ClickHouseDataReader r, int i) => Convert.ToUInt32(r.GetValue(i), CultureInfo.InvariantCulture);

    private static ulong UInt64(ClickHouseDataReader r, int i) => Convert.ToUInt64(r.GetValue(i), CultureInfo.InvariantCulture);

    private static long Int64(ClickHouseDataReader r, int i) => Convert.ToInt64(r.GetValue(i), CultureInfo.InvariantCulture);
}
