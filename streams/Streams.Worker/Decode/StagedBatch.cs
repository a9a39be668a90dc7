using Streams.Schema;
using Streams.Worker.Admission;

namespace Streams.Worker.Decode;

/// <summary>An admitted, decoded batch on its way to its table. Pooled: whoever holds it last disposes it.</summary>
internal sealed class StagedBatch(BatchPool pool) : IDisposable
{
    /// <summary>
    /// Bytes that a batch costs beside its content: this object, its column slots and its name in the token, the read-back and the pool.
    /// Generous, and what bounds ranges of batches that carry a ledger only.
    /// </summary>
    private const int Overhead = 2048;

    private bool _out;

    public DecodedBatch Decoded { get; } = new();

    /// <summary>Agent, host and time of receipt of the message that brought it.</summary>
    public MessageHead Head { get; set; }

    /// <summary>True when recovery found its rows in the table: only its ledger rows are still to be inserted.</summary>
    public bool Stored { get; set; }

    public BatchName Name => Decoded.Header.Name;

    /// <summary>What the batch counts for where batches are bounded by bytes: rows, ledger, and the batch itself.</summary>
    public long Bytes => Decoded.Header.DecodedLength + (long)Decoded.Header.TotalLength + Overhead;

    public LaneKey Lane => Head.Key;

    public override string ToString() => $"{Head.AgentId}/{Name}";

    public void Dispose()
    {
        if (_out)
        {
            _out = false;
            Decoded.Dispose();
            pool.Return(this);
        }
    }

    internal void Take() => _out = true;
}
