using System.Security.Cryptography;
using Streams.Schema;
using Streams.Wire.Crypto;
using Streams.Wire.Handshake;
using Streams.Wire.Proof;

namespace Streams.Storage.Tests.Proofs;

/// <summary>An agent whose batches, ledger and proofs are in the engine as a worker would have put them there.</summary>
internal sealed class ProvenAgent(Engine engine, string id, int ageSeconds = 0) : IDisposable
{
    private readonly AgentIdentity _identity = new(id, SigningKey.Generate());
    private readonly List<(DecodedBatch Batch, BatchOrigin Origin)> _batches = [];
    private readonly Dictionary<uint, byte[]> _chains = [];
    private readonly Dictionary<uint, List<byte[]>> _open = [];
    private readonly List<(uint Lane, uint N, byte[] Digest, byte[] Chain, uint From, byte[] Signature, bool Restart)> _proofs = [];
    private uint _proofBatches;
    private ulong _seq = 1;

    internal Epoch Epoch { get; } = Epoch.NewRandom();

    private BatchOrigin Origin => new(id, id + ".example", Batches.Now - (ageSeconds * 1_000_000L));

    /// <summary>Adds batches to a lane, with digests, and signs the last one of them.</summary>
    internal void Add(uint lane, int batches, bool sign = true, bool prove = true, bool restart = false)
    {
        for (var i = 0; i < batches; i++)
        {
            var n = (uint)_batches.Count(b => b.Batch.Header.Name.Lane == lane);
            var batch = Batches.Exec(new BatchName(Epoch, lane, n), _seq, 20);
            _seq += 20;
            _batches.Add((batch, Origin));
            if (prove)
            {
                Prove(lane, n, batch, sign && i == batches - 1, restart, begins: restart && i == 0);
            }
        }
    }

    /// <summary>A batch that became a tombstone after its digest was signed.</summary>
    internal void Evict(uint lane, uint n)
    {
        var at = _batches.FindIndex(b => b.Batch.Header.Name.Lane == lane && b.Batch.Header.Name.N == n);
        using var builder = new BatchBuilder(ProcessClasses.Exec);
        var (old, origin) = _batches[at];
        var entry = old.Ledger.Entries[0];
        builder.TryAddLedger(entry.Cpu, entry.First, entry.Last, 0, [new LossCount(LossCause.SpoolEvicted, entry.Rows)]);
        _batches[at] = (Batches.Decode(builder, ProcessClasses.Exec, old.Header.Name), origin);
        old.Dispose();
    }

    internal async Task StoreAsync()
    {
        using var rows = Batches.Block(ProcessClasses.Exec, [.. _batches]);
        if (rows.Rows > 0)
        {
            Assert.Equal(InsertOutcome.Ok, (await engine.InsertAsync(rows)).Outcome);
        }

        using var ledger = Batches.Ledger([.. _batches]);
        Assert.Equal(InsertOutcome.Ok, (await engine.InsertAsync(ledger)).Outcome);
        await StoreProofsAsync();
    }

    /// <summary>Verifies everything that was received about now.</summary>
    internal async Task<List<LaneReport>> VerifyAsync()
    {
        var key = _identity.PublicKey.ToArray();
        var verifier = new ProofVerifier(engine.Client, (checkpoint, signature) => BatchProofSignature.Verify(key, checkpoint, signature));
        var at = DateTimeOffset.UnixEpoch.AddMicroseconds(Origin.ReceivedAt);
        var reports = new List<LaneReport>();
        await foreach (var report in verifier.VerifyAsync(id, at.AddMinutes(-1), at.AddMinutes(1)))
        {
            if (report.Lane != ProofLane)
            {
                reports.Add(report);
            }
        }

        return reports;
    }

    internal Task ChangeAsync(string statement) => engine.Client.ExecuteAsync(statement + " SETTINGS mutations_sync = 2");

    /// <summary>Condition for one batch of lane 0.</summary>
    internal string Where(uint n, uint lane = 0) => $"WHERE agent_id = '{id}' AND lane = {lane} AND batch = {n}";

    public void Dispose()
    {
        foreach (var (batch, _) in _batches)
        {
            batch.Dispose();
        }

        _identity.Dispose();
    }

    private const uint ProofLane = 1000;

    private void Prove(uint lane, uint n, DecodedBatch batch, bool sign, bool restart, bool begins)
    {
        using var hash = new RuntimeSha256();
        var digest = new byte[BatchDigest.Size];
        Assert.True(BatchDigest.TryOf(batch, hash, digest));
        if (begins || !_chains.TryGetValue(lane, out var chain))
        {
            chain = new byte[DigestChain.Size];
        }

        if (!_open.TryGetValue(lane, out var open))
        {
            _open[lane] = open = [];
        }

        if (open.Count == 0)
        {
            open.Add((byte[])chain.Clone()); // before the first
        }

        open.Add(digest);
        chain = (byte[])chain.Clone();
        DigestChain.Step(chain, n, digest, hash);
        _chains[lane] = chain;
        var from = n - (uint)open.Count + 2;
        var signature = Array.Empty<byte>();
        if (sign)
        {
            var checkpoint = new byte[DigestChain.CheckpointSize];
            DigestChain.WriteCheckpoint(
                checkpoint, Epoch.Prefix, lane, from, n, open[0], chain, SHA256.HashData([.. open.Skip(1).SelectMany(d => d)]));
            signature = new byte[BatchProofSignature.Size];
            BatchProofSignature.Sign(_identity, checkpoint, signature);
            open.Clear();
        }

        _proofs.Add((lane, n, digest, chain, from, signature, restart));
    }

    private async Task StoreProofsAsync()
    {
        if (_proofs.Count == 0)
        {
            return;
        }

        var c = LedgerClasses.BatchProof;
        using var builder = new BatchBuilder(c);
        foreach (var (proof, seq) in _proofs.Select((proof, i) => (proof, (ulong)i + 1)))
        {
            Assert.True(builder.TryBeginRow(128));
            builder.SetClaim(Batches.Now, seq, ClaimColumns.UserSpaceCpu, 0, 0);
            builder.SetUInt64(c.OrdinalOf("proven_epoch"), Epoch.Prefix);
            builder.SetUInt32(c.OrdinalOf("proven_lane"), proof.Lane);
            builder.SetUInt32(c.OrdinalOf("proven_batch"), proof.N);
            Assert.True(builder.TrySetString(c.OrdinalOf("digest"), proof.Digest));
            Assert.True(builder.TrySetString(c.OrdinalOf("chain"), proof.Chain));
            builder.SetUInt32(c.OrdinalOf("from_batch"), proof.From);
            Assert.True(builder.TrySetString(c.OrdinalOf("signature"), proof.Signature));
            builder.SetBool(c.OrdinalOf("restart"), proof.Restart);
            builder.EndRow();
        }

        builder.TryAddLedger(ClaimColumns.UserSpaceCpu, 1, (ulong)_proofs.Count, (uint)_proofs.Count);
        using var batch = Batches.Decode(builder, c, new BatchName(Epoch, ProofLane, _proofBatches++));
        using var rows = Batches.Block(c, (batch, Origin));
        Assert.Equal(InsertOutcome.Ok, (await engine.InsertAsync(rows)).Outcome);
        using var ledger = Batches.Ledger((batch, Origin));
        Assert.Equal(InsertOutcome.Ok, (await engine.InsertAsync(ledger)).Outcome);
    }

    private sealed class RuntimeSha256 : ISha256, IDisposable
    {
        private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

        public void Append(ReadOnlySpan<byte> data) => _hash.AppendData(data);

        public void Finish(Span<byte> digest) => _hash.GetHashAndReset(digest);

        public void Dispose() => _hash.Dispose();
    }
}
