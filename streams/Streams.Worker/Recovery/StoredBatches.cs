using Streams.Storage;
using Streams.Worker.Admission;

namespace Streams.Worker.Recovery;

/// <summary>A batch that a table holds without ledger rows.</summary>
/// <param name="Rows">What its class table has, per CPU; empty when only its dead letter is stored.</param>
internal sealed record FoundBatch(List<StoredRows> Rows)
{
    public ulong Total => Rows.Aggregate(0UL, static (sum, rows) => sum + rows.Rows);
}

/// <summary>
/// Batches that an earlier life stored without committing them, read back at the start. Their rows must not be inserted again.
/// </summary>
internal sealed class StoredBatches
{
    private readonly Dictionary<(LaneKey Lane, uint N), FoundBatch> _found = [];

    public int Count => _found.Count;

    /// <summary>Rows of one CPU in its class table.</summary>
    public void Add(in LaneKey lane, uint n, in StoredRows rows) => Get(lane, n).Rows.Add(rows);

    /// <summary>Its dead letter.</summary>
    public void AddDeadLetter(in LaneKey lane, uint n) => Get(lane, n);

    /// <summary>What is stored of the batch; null for nothing.</summary>
    public FoundBatch? Find(in LaneKey lane, uint n) => _found.Count == 0 ? null : _found.GetValueOrDefault((lane, n));

    private FoundBatch Get(in LaneKey lane, uint n)
    {
        if (!_found.TryGetValue((lane, n), out var found))
        {
            _found.Add((lane, n), found = new FoundBatch([]));
        }

        return found;
    }
}
