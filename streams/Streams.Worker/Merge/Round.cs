using Streams.Worker.Commit;
using Streams.Worker.Ranges;

namespace Streams.Worker.Merge;

/// <summary>A range that waits for its commit, with the life of the partition it belongs to.</summary>
internal sealed class SubmittedRange(BatchRange range, PartitionFence fence)
{
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public BatchRange Range { get; } = range;

    public PartitionFence Fence { get; } = fence;

    /// <summary>Ends when the ledger rows of the range are in ClickHouse; faulted when recovery must decide.</summary>
    public Task Completion => _done.Task;

    public void Committed() => _done.TrySetResult();

    public void Failed(Exception reason) => _done.TrySetException(reason);
}

/// <summary>
/// Ranges of all partitions that are inserted together: batches grouped by table and day, one block each. Ranges of one partition are in
/// its order.
/// </summary>
internal sealed class Round
{
    private readonly List<SubmittedRange> _ranges = [];

    public IReadOnlyList<SubmittedRange> Ranges => _ranges;

    public long Rows { get; private set; }

    public long Bytes { get; private set; }

    public void Add(SubmittedRange range)
    {
        _ranges.Add(range);
        Rows += range.Range.Rows;
        Bytes += range.Range.Bytes;
    }

    /// <summary>The blocks of the class tables; batches without rows, and those whose rows are stored already, have none.</summary>
    public IReadOnlyDictionary<InsertTarget, List<PendingBatch>> Blocks()
    {
        var blocks = new Dictionary<InsertTarget, List<PendingBatch>>();
        foreach (var submitted in _ranges)
        {
            foreach (var batch in submitted.Range.Batches)
            {
                if (batch.Decoded.Rows != 0 && !batch.Stored)
                {
                    Put(blocks, new InsertTarget(batch.Decoded.Class, submitted.Range.Day), new PendingBatch(batch, submitted.Fence));
                }
            }
        }

        return blocks;
    }

    /// <summary>The ledger blocks, one per day: every batch has at least one entry.</summary>
    public IReadOnlyDictionary<InsertTarget, List<PendingBatch>> LedgerBlocks()
    {
        var blocks = new Dictionary<InsertTarget, List<PendingBatch>>();
        foreach (var submitted in _ranges)
        {
            foreach (var batch in submitted.Range.Batches)
            {
                Put(blocks, new InsertTarget(null, submitted.Range.Day), new PendingBatch(batch, submitted.Fence));
            }
        }

        return blocks;
    }

    private static void Put(Dictionary<InsertTarget, List<PendingBatch>> blocks, InsertTarget target, PendingBatch batch)
    {
        if (!blocks.TryGetValue(target, out var list))
        {
            blocks.Add(target, list = []);
        }

        list.Add(batch);
    }
}
