using Streams.Worker.Admission;

namespace Streams.Worker.Recovery;

/// <summary>What the tables hold of a batch that has no ledger rows yet.</summary>
internal enum StoredState : byte
{
    Absent,
    Complete,
    Partial,
}

/// <summary>
/// Batches that an earlier life stored without committing them, read back at the start. Their rows must not be inserted again.
/// </summary>
internal sealed class StoredBatches
{
    private readonly Dictionary<(LaneKey Lane, uint N), ulong> _rows = [];

    public int Count => _rows.Count;

    public void Add(in LaneKey lane, uint n, ulong rows) => _rows[(lane, n)] = _rows.GetValueOrDefault((lane, n)) + rows;

    /// <summary>Whether the batch with this many rows is stored.</summary>
    public StoredState Find(in LaneKey lane, uint n, int rows)
    {
        if (_rows.Count == 0 || !_rows.TryGetValue((lane, n), out var found))
        {
            return StoredState.Absent;
        }

        return found == (ulong)rows ? StoredState.Complete : StoredState.Partial;
    }
}
