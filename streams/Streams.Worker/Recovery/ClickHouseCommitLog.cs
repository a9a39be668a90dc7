using Streams.Queue;
using Streams.Storage;
using Streams.Worker.Admission;
using Streams.Worker.Commit;

namespace Streams.Worker.Recovery;

/// <summary>
/// Reads the ledger, and what the class tables hold beyond it: also of lanes that have no ledger row yet. One read serves all partitions of
/// the process that recover at the same time.
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
        () => ReadAllAsync(client, partitions, memory, oldestMessage), TimeSpan.FromMilliseconds(50));

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
        foreach (var (batch, rows) in snapshot.Beyond)
        {
            if (Subjects.PartitionOf(batch.AgentId, partitions) != partition)
            {
                continue;
            }

            var lane = new LaneKey(batch.AgentId, batch.Epoch, batch.Lane);
            if (batch.Table == DeadLetterTable.Name)
            {
                stored.AddDeadLetter(lane, batch.N);
            }
            else
            {
                stored.Add(lane, batch.N, rows);
            }
        }

        return new RecoveredPartition(lanes, stored);
    }

    private static async Task<Snapshot> ReadAllAsync(
        StorageClient client, int partitions, TimeSpan memory, Func<Task<DateTimeOffset?>> oldestMessage)
    {
        // Before the tables: a message that is committed and purged in between must not be the bound.
        var oldest = await oldestMessage().ConfigureAwait(false);
        var known = (DateTimeOffset.UtcNow - memory).ToUnixTimeMilliseconds() * 1000;
        var lanes = await new StorageReader(client).CommittedLanesAsync(known).ConfigureAwait(false);
        var since = ReadBackBound.Since(lanes, partitions, oldest);
        return new Snapshot(lanes, await new UncommittedReader(client).ReadAsync(lanes, known, since).ConfigureAwait(false));
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

    private sealed record Snapshot(List<CommittedLane> Lanes, List<(UncommittedBatch Batch, StoredRows Rows)> Beyond);
}
