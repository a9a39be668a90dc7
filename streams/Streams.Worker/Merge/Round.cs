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
                if (batch.Rows != 0 && !batch.Stored)
                {
                    var target = new InsertTarget(batch.Decoded.Class, submitted.Range.Day);
                    Put(blocks, target, new PendingBatch(batch, submitted.Fence));
                }
            }
        }

        return blocks;
    }

    /// <summary>
    /// The blocks of the dead letters: batches that came without sense, and those that their own insert condemned. Asked after the class
    /// tables.
    /// </summary>
    public IReadOnlyDictionary<InsertTarget, List<PendingBatch>> DeadLetterBlocks()
    {
        var blocks = new Dictionary<InsertTarget, List<PendingBatch>>();
        foreach (var submitted in _ranges)
        {
            foreach (var batch in submitted.Range.Batches)
            {
                if (batch.Letter is not null && !batch.Stored)
                {
                    Put(
                        blocks,
                        new InsertTarget(null, submitted.Range.Day, IsDeadLetter: true),
                        new PendingBatch(batch, submitted.Fence));
                }
            }
        }

        return blocks;
    }

    /// <summary>
    /// The ledger blocks, to be inserted one after another: one per day, or more where a partition's days do not follow each other. No
    /// batch comes after a later one of its partition, so that what is committed of a lane has no holes whatever fails.
    /// </summary>
    public IReadOnlyList<KeyValuePair<InsertTarget, List<PendingBatch>>> LedgerBlocks()
    {
        var blocks = new List<KeyValuePair<InsertTarget, List<PendingBatch>>>();
        var reached = new Dictionary<int, int>();
        foreach (var submitted in _ranges)
        {
            var day = submitted.Range.Day;
            var from = reached.GetValueOrDefault(submitted.Range.Partition);
            var index = blocks.FindIndex(from, block => block.Key.Day == day);
            if (index < 0)
            {
                index = blocks.Count;
                blocks.Add(new(new InsertTarget(null, day), []));
            }

            reached[submitted.Range.Partition] = index;
            foreach (var batch in submitted.Range.Batches)
            {
                blocks[index].Value.Add(new PendingBatch(batch, submitted.Fence));
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
