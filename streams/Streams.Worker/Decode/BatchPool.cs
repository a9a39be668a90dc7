using System.Collections.Concurrent;

namespace Streams.Worker.Decode;

/// <summary>
/// The batches of one life of a partition's pipeline. It counts what is out, so that a test (and the pipeline's end) can tell a leak; when
/// the pipeline ends the pool is dropped with it.
/// </summary>
internal sealed class BatchPool
{
    // A range of 250,000 rows in batches of 1,000, twice; beyond it objects go to the collector.
    private const int Kept = 512;

    private readonly ConcurrentQueue<StagedBatch> _free = new();
    private int _outstanding;

    /// <summary>Batches rented and not returned.</summary>
    public int Outstanding => Volatile.Read(ref _outstanding);

    public StagedBatch Rent()
    {
        Interlocked.Increment(ref _outstanding);
        var batch = _free.TryDequeue(out var free) ? free : new StagedBatch(this);
        batch.Take();
        return batch;
    }

    internal void Return(StagedBatch batch)
    {
        Interlocked.Decrement(ref _outstanding);
        batch.Stored = false;
        batch.Head = default;
        if (_free.Count < Kept)
        {
            _free.Enqueue(batch);
        }
    }
}
