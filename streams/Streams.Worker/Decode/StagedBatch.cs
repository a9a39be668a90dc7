using System.Buffers;
using Streams.Schema;
using Streams.Storage;
using Streams.Worker.Admission;

namespace Streams.Worker.Decode;

/// <summary>An admitted batch on its way to its table, or to the dead letters. Pooled: whoever holds it last disposes it.</summary>
internal sealed class StagedBatch(BatchPool pool) : IDisposable
{
    /// <summary>
    /// Bytes that a batch costs beside its content: this object, its column slots and its name in the token, the read-back and the pool.
    /// Generous, and what bounds ranges of batches that carry a ledger only.
    /// </summary>
    private const int Overhead = 2048;

    private bool _out;
    private byte[] _received = [];
    private int _receivedLength;

    public DecodedBatch Decoded { get; } = new();

    /// <summary>Agent, host and time of receipt of the message that brought it.</summary>
    public MessageHead Head { get; set; }

    public BatchName Name { get; set; }

    /// <summary>True when recovery found its rows (or its dead letter) in the table: only its ledger rows are missing.</summary>
    public bool Stored { get; set; }

    /// <summary>Why its rows are not stored; null for all but the given up.</summary>
    public DeadLetter? Letter { get; private set; }

    /// <summary>What the ledger says of it, where that is not what it says itself.</summary>
    public LedgerAccount? Account { get; set; }

    /// <summary>1 for a dead letter that is re-driven.</summary>
    public byte Revision { get; set; }

    /// <summary>Rows for its class table.</summary>
    public int Rows => Account is null ? Decoded.Rows : 0;

    /// <summary>Rows for the ledger.</summary>
    public int LedgerRows => Account?.Lines.Count ?? Decoded.Ledger.Entries.Length;

    /// <summary>The batch as it came: what a dead letter keeps.</summary>
    public ReadOnlyMemory<byte> Received => _received.AsMemory(0, _receivedLength);

    /// <summary>What the batch counts for where batches are bounded by bytes: rows, ledger, and the batch itself.</summary>
    public long Bytes => (Account is null ? Decoded.BodyLength : 0) + (long)_receivedLength + Overhead;

    public LaneKey Lane => Head.Key;

    public override string ToString() => $"{Head.AgentId}/{Name}";

    /// <summary>Copies the bytes: those of the message live only until the next one is read, a cause may be found later.</summary>
    public void Keep(ReadOnlySpan<byte> received)
    {
        if (_received.Length < received.Length)
        {
            Release();
            _received = ArrayPool<byte>.Shared.Rent(received.Length);
        }

        received.CopyTo(_received);
        _receivedLength = received.Length;
    }

    /// <summary>Gives the batch up: its bytes go to the dead letters, its ledger rows count its rows there.</summary>
    /// <param name="rows">Rows it says it has.</param>
    /// <param name="account">From what can be read of it.</param>
    public void Condemn(int rows, string cause, int code, string message, LedgerAccount account, long now)
    {
        Letter = new DeadLetter(Name, account.Class, (uint)rows, cause, code, message, Received, now);
        Account = account;
    }

    public void Dispose()
    {
        if (_out)
        {
            _out = false;
            Decoded.Dispose();
            Release();
            Stored = false;
            Letter = null;
            Account = null;
            Revision = 0;
            Head = default;
            pool.Return(this);
        }
    }

    internal void Take() => _out = true;

    private void Release()
    {
        if (_received.Length != 0)
        {
            ArrayPool<byte>.Shared.Return(_received);
            _received = [];
        }

        _receivedLength = 0;
    }
}
