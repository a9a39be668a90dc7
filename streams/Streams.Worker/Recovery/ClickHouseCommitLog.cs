using System.Globalization;
using Streams.Queue;
using Streams.Schema;
using Streams.Storage;
using Streams.Worker.Admission;
using Streams.Worker.Commit;

namespace Streams.Worker.Recovery;

/// <summary>
/// Reads the ledger, and what the class tables hold beyond it: also of lanes that have no ledger row yet. One read serves all partitions of
/// the process that recover at the same time. Key columns only, in the order of the sort key: a scan of runs.
/// </summary>
/// <param name="client">Patient: a scan of days takes longer than a query of a person may.</param>
/// <param name="memory">Lanes without a ledger row for so long are forgotten; see <see cref="LaneMemory"/>.</param>
/// <param name="oldestMessage">When the oldest message in the queue was published; null when the queue is empty.</param>
internal sealed class ClickHouseCommitLog(
    StorageClient client,
    IBatchStore store,
    AbandonedInserts abandoned,
    string owner,
    int partitions,
    TimeSpan memory,
    Func<Task<DateTimeOffset?>> oldestMessage) : ICommitLog
{
    /// <summary>Time limit of recovery's queries. They keep a partition waiting, but to give up would keep it waiting for ever.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    private readonly SharedRead<Snapshot> _read = new(
        () => ReadAllAsync(new StorageReader(client), client, partitions, memory, oldestMessage), TimeSpan.FromMilliseconds(50));

    public async Task<RecoveredPartition> ReadAsync(int partition, string previousOwner, CancellationToken cancel)
    {
        await KillAsync(previousOwner, cancel).ConfigureAwait(false);
        var snapshot = await _read.JoinAsync(cancel).ConfigureAwait(false);
        var lanes = new List<RecoveredLane>();
        foreach (var lane in snapshot.Lanes)
        {
            if (Subjects.PartitionOf(lane.AgentId, partitions) == partition)
            {
                lanes.Add(new RecoveredLane(new LaneKey(lane.AgentId, lane.Epoch.Prefix, lane.Lane), lane.Epoch, lane.Committed));
            }
        }

        var stored = new StoredBatches();
        foreach (var (lane, n, rows) in snapshot.Beyond)
        {
            if (Subjects.PartitionOf(lane.AgentId, partitions) == partition)
            {
                stored.Add(lane, n, rows);
            }
        }

        return new RecoveredPartition(lanes, stored);
    }

    private static async Task<Snapshot> ReadAllAsync(
        StorageReader reader, StorageClient client, int partitions, TimeSpan memory, Func<Task<DateTimeOffset?>> oldestMessage)
    {
        // Before the tables: a message that is committed and purged in between must not be the bound.
        var oldest = await oldestMessage().ConfigureAwait(false);
        var known = (DateTimeOffset.UtcNow - memory).ToUnixTimeMilliseconds() * 1000;
        var lanes = await reader.CommittedLanesAsync(known).ConfigureAwait(false);
        var since = ReadBackBound.Since(lanes, partitions, oldest);
        var beyond = new List<(LaneKey, uint, ulong)>();
        foreach (var eventClass in Catalogue.Classes)
        {
            beyond.AddRange(await BeyondLedgerAsync(client, eventClass.Name, known, since).ConfigureAwait(false));
        }

        return new Snapshot(lanes, beyond);
    }

    // A previous owner that nobody remembers (the lease was wiped) may be anybody but this process; a live one's killed inserts are in
    // doubt to it, and it reads back too.
    private async Task KillAsync(string previousOwner, CancellationToken cancel)
    {
        foreach (var serial in abandoned.ToKill())
        {
            await store.KillAsync(serial, cancel).ConfigureAwait(false);
            abandoned.Ended(serial);
        }

        var which = previousOwner.Length != 0 && previousOwner != owner
            ? $"query LIKE '{InsertLabel.PatternOf(previousOwner)}'"
            : $"query LIKE '/* ingest %' AND query NOT LIKE '{InsertLabel.PatternOf(owner)}'";
        await client.QueryAsync($"KILL QUERY WHERE {which} SYNC", static _ => 0, cancel).ConfigureAwait(false);
    }

    private static Task<List<(LaneKey Lane, uint N, ulong Rows)>> BeyondLedgerAsync(
        StorageClient client, string table, long known, long since) => client.QueryAsync(
        $"""
        SELECT t.agent_id, t.epoch, t.lane, t.batch, t.n FROM
        (
            SELECT agent_id, epoch, lane, batch, count() AS n FROM {table}
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
        static row => (
            new LaneKey(row.GetString(0), Number(row.GetValue(1)), (uint)Number(row.GetValue(2))),
            (uint)Number(row.GetValue(3)),
            Number(row.GetValue(4))));

    private static ulong Number(object value) => Convert.ToUInt64(value, CultureInfo.InvariantCulture);

    private sealed record Snapshot(List<CommittedLane> Lanes, List<(LaneKey Lane, uint N, ulong Rows)> Beyond);
}
