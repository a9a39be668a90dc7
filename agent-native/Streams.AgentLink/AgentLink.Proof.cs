using System.Buffers;
using Streams.AgentLink.Lanes;
using Streams.AgentLink.Proof;
using Streams.Schema;

namespace Streams.AgentLink;

/// <summary>Digests of batches, their rows and when they are signed.</summary>
public sealed partial class AgentLink
{
    /// <summary>What the end of the process may leave unsigned, if it does not find its spool again.</summary>
    private static readonly TimeSpan SignInterval = TimeSpan.FromSeconds(10);

    /// <summary>For the digests of what earlier processes left: no session begins before. A tail has ten seconds of data; only what a
    /// build without proofs left is longer, and stays without proof where this time ends.</summary>
    private static readonly TimeSpan LeftTime = TimeSpan.FromSeconds(5);

    private readonly ProofWriter? _proofs;
    private readonly ITimer? _signTick;
    private readonly byte[] _digest = new byte[BatchDigest.Size];
    private bool _signArmed;

    /// <summary>The appender's lock is held.</summary>
    private void Prove<TSealer>(Lane lane, BatchName name, TSealer sealer, int length)
        where TSealer : IBatchSealer, allows ref struct
    {
        if (_proofs is not { Enabled: true } proofs)
        {
            return;
        }

        if (!sealer.TryDigest(name, CatalogueVersion, proofs.Hash, _digest))
        {
            DigestOf(_scratch.AsSpan(Spool.RecordHeader.Size, length), proofs);
        }

        proofs.Note(lane, name.N, _digest);
        if (proofs.FlushDue)
        {
            SendProofs(proofs);
        }

        if (!_signArmed)
        {
            _signArmed = true;
            _signTick!.Change(SignInterval, Timeout.InfiniteTimeSpan);
        }
    }

    private void SignTick()
    {
        lock (_appendGate)
        {
            // A batch of proofs alone does not keep the timer running: a quiet agent sleeps.
            _signArmed = false;
            SignNow();
        }

        Arm();
        _signal.Set();
    }

    /// <summary>The appender's lock is held.</summary>
    private void SignNow()
    {
        if (_proofs is { Enabled: true } proofs)
        {
            proofs.SignAll();
            SendProofs(proofs);
        }
    }

    private void SendProofs(ProofWriter proofs)
    {
        if (!proofs.TryClose())
        {
            return;
        }

        var sealer = proofs.Sealer();
        if (AppendLocked(PriorityClass.Metric, sealer, out var lane, out var name, out _) == AppendResult.Appended)
        {
            sealer.TryDigest(name, CatalogueVersion, proofs.Hash, _digest);
            proofs.Sent(_lanes);
            proofs.Note(lane!, name.N, _digest);
        }
    }

    /// <summary>
    /// Signs what earlier processes left without a signed checkpoint. Before the first session, because what is committed is forgotten;
    /// appenders may work meanwhile.
    /// </summary>
    private void ProveLeft()
    {
        if (_proofs is not { } proofs || _lanes.Unproven() is not { Count: > 0 } unproven)
        {
            return;
        }

        var until = _time.GetTimestamp() + (long)(LeftTime.TotalSeconds * _time.TimestampFrequency);
        var buffer = ArrayPool<byte>.Shared.Rent(Limits.MaxStoredBytes);
        foreach (var (lane, from, next) in unproven)
        {
            for (var n = from; n < next && _time.GetTimestamp() < until; n++)
            {
                lock (_appendGate)
                {
                    var length = _lanes.CopyLeft(lane, n, buffer);
                    if (length == 0)
                    {
                        break;
                    }

                    DigestOf(buffer.AsSpan(0, length), proofs);
                    proofs.Note(lane, n, _digest, left: true);
                    if (proofs.FlushDue)
                    {
                        SendProofs(proofs);
                    }
                }
            }
        }

        ArrayPool<byte>.Shared.Return(buffer);
        lock (_appendGate)
        {
            SignNow();
        }

        Arm();
    }

    /// <summary>Of a batch as it is kept. What cannot be decoded has the digest of its name: its rows will not be stored either.</summary>
    private void DigestOf(ReadOnlySpan<byte> bytes, ProofWriter proofs)
    {
        if (!BatchHeader.TryRead(bytes, out var header, out _))
        {
            _digest.AsSpan().Clear();
            return;
        }

        using var batch = new DecodedBatch();
        if (header.Rows == 0 || !BatchDecoder.TryDecode(bytes, batch, out _) || !BatchDigest.TryOf(batch, proofs.Hash, _digest))
        {
            BatchDigest.OfHeader(header, proofs.Hash, _digest);
        }
    }
}
