using System.Globalization;
using Streams.Queue;
using Streams.Schema;
using Streams.Storage;
using Streams.Worker.Admission;
using Streams.Worker.Commit;

namespace Streams.Worker.Recovery;

/// <summary>
/// Reads the ledger, and everything that the class tables hold beyond it: also of lanes that have no ledger row yet, so over all days that
/// are kept. Key columns only, in the order of the sort key: a scan of runs.
/// </summary>
internal sealed class ClickHouseCommitLog(
    StorageClient client, IBatchStore store, AbandonedInserts abandoned, string owner, int partitions) : ICommitLog
{
    private readonly StorageReader _reader = new(client);

    public async Task<RecoveredPartition> ReadAsync(int partition, string previousOwner, CancellationToken cancel)
    {
        await KillAsync(previousOwner, cancel).ConfigureAwait(false);
        var lanes = new List<RecoveredLane>();
        foreach (var lane in await _reader.CommittedLanesAsync(cancellation: cancel).ConfigureAwait(false))
        {
            if (Subjects.PartitionOf(lane.AgentId, partitions) == partition)
            {
                lanes.Add(new RecoveredLane(new LaneKey(lane.AgentId, lane.Epoch.Prefix, lane.Lane), lane.Epoch, lane.Committed));
            }
        }

        var stored = new StoredBatches();
        foreach (var eventClass in Catalogue.Classes)
        {
            foreach (var (lane, n, rows) in await BeyondLedgerAsync(eventClass.Name, cancel).ConfigureAwait(false))
            {
                if (Subjects.PartitionOf(lane.AgentId, partitions) == partition)
                {
                    stored.Add(lane, n, rows);
                }
            }
        }

        return new RecoveredPartition(lanes, stored);
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

    private Task<List<(LaneKey Lane, uint N, ulong Rows)>> BeyondLedgerAsync(string table, CancellationToken cancel) => client.QueryAsync(
        $"""
        SELECT t.agent_id, t.epoch, t.lane, t.batch, t.n FROM
        (SELECT agent_id, epoch, lane, batch, count() AS n FROM {table} GROUP BY agent_id, epoch, lane, batch) AS t
        LEFT JOIN
        (SELECT agent_id, epoch, lane, toInt64(max(batch)) + 1 AS committed FROM {LedgerTable.Name} GROUP BY agent_id, epoch, lane) AS l
        ON t.agent_id = l.agent_id AND t.epoch = l.epoch AND t.lane = l.lane
        WHERE t.batch >= l.committed
        SETTINGS optimize_aggregation_in_order = 1
        """,
        static row => (
            new LaneKey(row.GetString(0), Number(row.GetValue(1)), (uint)Number(row.GetValue(2))),
            (uint)Number(row.GetValue(3)),
            Number(row.GetValue(4))),
        cancel);

    private static ulong Number(object value) => Convert.ToUInt64(value, CultureInfo.InvariantCulture);
}
