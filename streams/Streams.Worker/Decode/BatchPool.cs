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
    private readonly ConcurrentDictionary<StagedBatch, bool> _out = new();

    /// <summary>Batches rented and not returned.</summary>
    public int Outstanding => _out.Count;

    public StagedBatch Rent()
    {
        var batch = _free.TryDequeue(out var free) ? free : new StagedBatch(this);
        _out[batch] = true;
        batch.Take();
        return batch;
    }

    /// <summary>
    /// Takes back what is still out. A graph that is torn down drops an element that lies between two stages (review 73); after one that
    /// ended well there is nothing to take.
    /// </summary>
    /// <returns>How many.</returns>
    public int Reclaim()
    {
        var count = 0;
        foreach (var batch in _out.Keys)
        {
            batch.Dispose();
            count++;
        }

        return count;
    }

    internal void Return(StagedBatch batch)
    {
        _out.TryRemove(batch, out _);
        if (_free.Count < Kept)
        {
            _free.Enqueue(batch);
        }
    }
}
