using Streams.AgentLink.Lanes;
using Streams.Schema;
using Streams.Wire.Handshake;
using Streams.Wire.Proof;

namespace Streams.AgentLink.Proof;

/// <summary>
/// Makes the rows of batch_proof: one per batch with its digest and its lane's chain, the last of every 64 batches or ten seconds with a
/// signature. The rows are batches like any other, in a lane of their own class's priority, and so proven themselves, one flush later.
/// Guarded by the appender's lock; allocates nothing per batch.
/// </summary>
internal sealed class ProofWriter : IDisposable
{
    /// <summary>Rows after which they are sent before their time: 30 KB.</summary>
    private const int FlushRows = 256;

    private const int RowStringBytes = BatchDigest.Size + DigestChain.Size + BatchProofSignature.Size;

    private static readonly EventClass Class = LedgerClasses.BatchProof;
    private static readonly int Epoch = Class.OrdinalOf("proven_epoch");
    private static readonly int LaneNumber = Class.OrdinalOf("proven_lane");
    private static readonly int Batch = Class.OrdinalOf("proven_batch");
    private static readonly int Digest = Class.OrdinalOf("digest");
    private static readonly int Chain = Class.OrdinalOf("chain");
    private static readonly int From = Class.OrdinalOf("from_batch");
    private static readonly int SignatureOf = Class.OrdinalOf("signature");
    private static readonly int Restart = Class.OrdinalOf("restart");

    private readonly Func<AgentIdentity> _identity;
    private readonly TimeProvider _time;
    private readonly BatchStamp _stamp;
    private readonly List<LaneProof> _unsigned = [];
    private readonly List<(Lane Lane, uint Next)> _signed = [];
    private ulong _next = 1;
    private ulong _first = 1;
    private bool _closed;

    /// <param name="identity">Whose key signs now: it changes while the process lives.</param>
    /// <param name="epoch">Sensor epoch of the rows' numbers: the process's first epoch.</param>
    internal ProofWriter(Func<AgentIdentity> identity, Epoch epoch, TimeProvider time)
    {
        _identity = identity;
        _time = time;
        _stamp = new BatchStamp(epoch);
        Builder = new BatchBuilder(Class, new BuilderOptions { MaxRows = FlushRows * 2, InitialRows = 32 });
    }

    internal LinkHash Hash { get; } = new();

    internal BatchBuilder Builder { get; }

    /// <summary>False while the server does not know the class: nothing is proven then.</summary>
    internal bool Enabled { get; set; } = true;

    internal bool FlushDue => Builder.RowCount >= FlushRows;

    /// <summary>Signed checkpoints.</summary>
    internal ulong Checkpoints { get; private set; }

    /// <summary>Rows that had no room: their batches are covered by the next signature, but their digests are only in the rows
    /// themselves.</summary>
    internal ulong Dropped { get; private set; }

    /// <summary>A batch of the lane was kept.</summary>
    /// <param name="left">It is one that an earlier process left.</param>
    internal void Note(Lane lane, uint n, ReadOnlySpan<byte> digest, bool left = false)
    {
        if (!Enabled)
        {
            return;
        }

        var proof = lane.Proof;
        if (proof is null || !proof.Follows(n))
        {
            proof = lane.Proof ??= new LaneProof(lane);
            proof.Begin(n, restart: left || n > 0);
        }

        if (proof.HasPending)
        {
            Dropped += TryWrite(proof, sign: false) ? 0u : 1;
            proof.Written();
        }

        proof.Add(n, digest, Hash);
        if (proof.Batches >= DigestChain.BatchesPerCheckpoint && TryWrite(proof, sign: true))
        {
            return;
        }

        if (!proof.Listed)
        {
            proof.Listed = true;
            _unsigned.Add(proof);
        }
    }

    /// <summary>Signs what every lane has since its last checkpoint; what has no room waits for the next time.</summary>
    internal void SignAll()
    {
        var kept = 0;
        foreach (var proof in _unsigned)
        {
            proof.Listed = proof.HasPending && !TryWrite(proof, sign: true);
            if (proof.Listed)
            {
                _unsigned[kept++] = proof;
            }
        }

        _unsigned.RemoveRange(kept, _unsigned.Count - kept);
    }

    /// <summary>Closes the batch of rows; false when there is none to send.</summary>
    internal bool TryClose()
    {
        if (Builder.RowCount == 0)
        {
            return false;
        }

        if (!_closed)
        {
            Builder.TryAddLedger(ClaimColumns.UserSpaceCpu, _first, _next - 1, (uint)Builder.RowCount);
            _closed = true;
        }

        return true;
    }

    internal BuilderSealer Sealer() => new(Builder, _stamp, BatchCompression.Lz4);

    /// <summary>The closed batch is kept: its checkpoints need not be signed again after a restart.</summary>
    internal void Sent(LaneTable lanes)
    {
        Builder.Reset();
        _closed = false;
        _first = _next;
        foreach (var (lane, next) in _signed)
        {
            lanes.MarkSigned(lane, next);
        }

        _signed.Clear();
    }

    public void Dispose() => Builder.Dispose();

    private bool TryWrite(LaneProof proof, bool sign)
    {
        if (_closed || !Builder.TryBeginRow(RowStringBytes))
        {
            return false;
        }

        var now = (_time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
        Builder.SetClaim(now, _next++, ClaimColumns.UserSpaceCpu, 0, 0);
        Builder.SetUInt64(Epoch, proof.Lane.Epoch.Prefix);
        Builder.SetUInt32(LaneNumber, proof.Lane.Number);
        Builder.SetUInt32(Batch, proof.N);
        Builder.TrySetString(Digest, proof.Digest);
        Builder.TrySetString(Chain, proof.Chain);
        Builder.SetUInt32(From, proof.From);
        Builder.SetBool(Restart, proof.Restart);
        if (sign)
        {
            Span<byte> digests = stackalloc byte[DigestChain.Size];
            Span<byte> checkpoint = stackalloc byte[DigestChain.CheckpointSize];
            Span<byte> signature = stackalloc byte[BatchProofSignature.Size];
            proof.Digests.Finish(digests);
            DigestChain.WriteCheckpoint(
                checkpoint, proof.Lane.Epoch.Prefix, proof.Lane.Number, proof.From, proof.N, proof.Before, proof.Chain, digests);
            BatchProofSignature.Sign(_identity(), checkpoint, signature);
            Builder.TrySetString(SignatureOf, signature);
            proof.Signed();
            _signed.Add((proof.Lane, proof.From));
            Checkpoints++;
        }

        Builder.EndRow();
        return true;
    }
}
