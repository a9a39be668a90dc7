using System.Globalization;
using ClickHouse.Driver.ADO.Readers;
using Streams.Schema;

namespace Streams.Storage;

/// <summary>A batch that a table holds and the ledger does not.</summary>
/// <param name="Table">Its class's, or <see cref="DeadLetterTable"/>.</param>
public readonly record struct UncommittedBatch(string Table, string AgentId, ulong Epoch, uint Lane, uint N);

/// <summary>
/// Finds what was stored without ledger rows. The search through the tables is bounded in time; what it finds is noted in
/// <see cref="StoredBatchTable"/>, so that the next recovery knows it however long its agent stays away.
/// </summary>
public sealed class UncommittedReader(StorageClient client)
{
    // Names in one statement: some 60 bytes each, within max_query_size (256 KiB).
    private const int NamesPerQuery = 1000;

    private static readonly string[] Tables = [.. Catalogue.Classes.Select(static c => c.Name), DeadLetterTable.Name];

    /// <param name="lanes">The ledger.</param>
    /// <param name="known">Since when <paramref name="lanes"/> speaks, microseconds since 1970.</param>
    /// <param name="since">How far back tables are searched, microseconds since 1970.</param>
    /// <returns>One entry per batch and CPU; a dead letter has one without rows.</returns>
    /// <exception cref="ClickHouse.Driver.ClickHouseServerException">What was found cannot be read whole: a full disk left its part so, and until somebody sets that aside
    /// nothing says whether its batches are stored.</exception>
    public async Task<List<(UncommittedBatch Batch, StoredRows Rows)>> ReadAsync(
        IEnumerable<CommittedLane> lanes, long known, long since, CancellationToken cancellation = default)
    {
        var noted = await NotesAsync(lanes, cancellation).ConfigureAwait(false);
        var rows = new List<(UncommittedBatch, StoredRows)>();
        foreach (var table in Tables)
        {
            var found = await BeyondLedgerAsync(table, known, since, cancellation).ConfigureAwait(false);
            var fresh = found.Where(batch => !noted.Contains(batch)).ToArray();
            foreach (var names in fresh.Chunk(NamesPerQuery))
            {
                await ReadColumnsAsync(table, names, cancellation).ConfigureAwait(false);
                await NoteAsync(names, cancellation).ConfigureAwait(false);
            }

            foreach (var names in fresh.Concat(noted.Where(batch => batch.Table == table)).Chunk(NamesPerQuery))
            {
                rows.AddRange(await DetailsAsync(table, names, cancellation).ConfigureAwait(false));
            }
        }

        return rows;
    }

    private async Task<HashSet<UncommittedBatch>> NotesAsync(IEnumerable<CommittedLane> lanes, CancellationToken cancellation)
    {
        var committed = lanes.ToDictionary(static lane => (lane.AgentId, lane.Epoch.Prefix, lane.Lane), static lane => lane.Committed);
        var notes = await client.QueryAsync(
            $"SELECT DISTINCT in_table, agent_id, epoch, lane, batch FROM {StoredBatchTable.Name}",
            static r => new UncommittedBatch(r.GetString(0), r.GetString(1), Number(r, 2), (uint)Number(r, 3), (uint)Number(r, 4)),
            cancellation).ConfigureAwait(false);
        return [.. notes.Where(note => note.N >= committed.GetValueOrDefault((note.AgentId, note.Epoch, note.Lane)))];
    }

    // Key columns only, in the order of the sort key: a scan of runs.
    private Task<List<UncommittedBatch>> BeyondLedgerAsync(string table, long known, long since, CancellationToken cancellation) =>
        client.QueryAsync(
            $"""
            SELECT t.agent_id, t.epoch, t.lane, t.batch FROM
            (
                SELECT agent_id, epoch, lane, batch FROM {table}
                WHERE received_at >= fromUnixTimestamp64Micro(toInt64({since}))
                GROUP BY agent_id, epoch, lane, batch
            ) AS t
            LEFT JOIN
            (
                SELECT agent_id, epoch, lane, toInt64(max(batch)) + 1 AS committed FROM {LedgerTable.Name}
                WHERE received_at >= fromUnixTimestamp64Micro(toInt64({known}))
                GROUP BY agent_id, epoch, lane
            ) AS l
            ON t.agent_id = l.agent_id AND t.epoch = l.epoch AND t.lane = l.lane
            WHERE t.batch >= l.committed
            SETTINGS optimize_aggregation_in_order = 1
            """,
            r => new UncommittedBatch(table, r.GetString(0), Number(r, 1), (uint)Number(r, 2), (uint)Number(r, 3)),
            cancellation);

    private Task NoteAsync(IEnumerable<UncommittedBatch> batches, CancellationToken cancellation) => client.ExecuteAsync(
        $"INSERT INTO {StoredBatchTable.Name} (in_table, agent_id, received_at, epoch, lane, batch) SETTINGS async_insert = 0 VALUES "
            + string.Join(", ", batches.Select(static b => string.Create(
                CultureInfo.InvariantCulture,
                $"({Sql.Literal(b.Table)}, {Sql.Literal(b.AgentId)}, now64(6), {b.Epoch}, {b.Lane}, {b.N})"))),
        cancellation);

    private Task ReadColumnsAsync(string table, IEnumerable<UncommittedBatch> batches, CancellationToken cancellation) => client.ExecuteAsync(
        $"SELECT * FROM {table} WHERE (agent_id, epoch, lane, batch) IN ({Names(batches)}) FORMAT Null", cancellation);

    private Task<List<(UncommittedBatch, StoredRows)>> DetailsAsync(
        string table, IEnumerable<UncommittedBatch> batches, CancellationToken cancellation)
    {
        var rows = table == DeadLetterTable.Name ? "0, 0, 0, 0" : "cpu, min(seq), max(seq), count()";
        var perCpu = table == DeadLetterTable.Name ? "" : ", cpu";
        return client.QueryAsync(
            $"""
            SELECT agent_id, epoch, lane, batch, {rows} FROM {table} WHERE (agent_id, epoch, lane, batch) IN ({Names(batches)})
            GROUP BY agent_id, epoch, lane, batch{perCpu}
            """,
            r => (
                new UncommittedBatch(table, r.GetString(0), Number(r, 1), (uint)Number(r, 2), (uint)Number(r, 3)),
                new StoredRows((ushort)Number(r, 4), Number(r, 5), Number(r, 6), Number(r, 7))),
            cancellation);
    }

    private static string Names(IEnumerable<UncommittedBatch> batches) => string.Join(", ", batches.Select(static b => string.Create(
        CultureInfo.InvariantCulture, $"({Sql.Literal(b.AgentId)}, {b.Epoch}, {b.Lane}, {b.N})")));

    private static ulong Number(ClickHouseDataReader r, int i) => Convert.ToUInt64(r.GetValue(i), CultureInfo.InvariantCulture);
}
