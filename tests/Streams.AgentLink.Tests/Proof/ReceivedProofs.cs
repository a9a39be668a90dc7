using System.Security.Cryptography;
using Streams.AgentLink.Tests.Gateway;
using Streams.Schema;
using Streams.Wire.Messages;
using Streams.Wire.Proof;

namespace Streams.AgentLink.Tests.Proof;

/// <summary>Everything that came over a link, with the digest of every batch computed here and the rows that claim it.</summary>
internal sealed class ReceivedProofs
{
    internal Dictionary<BatchName, byte[]> Digests { get; } = [];

    internal List<ProofRow> Rows { get; } = [];

    internal List<BatchHeader> Headers { get; } = [];

    /// <summary>Receives and commits until what was received satisfies the condition.</summary>
    internal async Task ReceiveAsync(ScriptedPeer peer, Func<ReceivedProofs, bool> until, bool commit = true)
    {
        using var hash = new RuntimeSha256();
        using var batch = new DecodedBatch();
        while (!until(this))
        {
            var (_, batches) = await peer.ReceiveDataAsync();
            foreach (var (name, bytes) in batches)
            {
                Assert.True(BatchHeader.TryRead(bytes, out var header, out _));
                Headers.Add(header);
                var digest = Digests[name] = new byte[BatchDigest.Size];
                if (header.Rows == 0)
                {
                    BatchDigest.OfHeader(header, hash, digest);
                    continue;
                }

                Assert.True(BatchDecoder.TryDecode(bytes, batch, out var error), error.ToString());
                Assert.True(BatchDigest.TryOf(batch, hash, digest));
                if (batch.Class == LedgerClasses.BatchProof)
                {
                    Rows.AddRange(ProofRow.Read(batch));
                }
            }

            var last = batches[^1].Name;
            if (commit)
            {
                await peer.CommitAsync(new LaneWatermark(Lanes.Lane.ToNumber(last.Epoch), last.Lane, last.N + 1));
            }
        }
    }

    /// <summary>Checks every row and every signature; gives the batches that a valid signature covers.</summary>
    internal HashSet<BatchName> Verify(ReadOnlySpan<byte> publicKey)
    {
        var signed = new HashSet<BatchName>();
        foreach (var lane in Rows.GroupBy(row => (row.Epoch, row.Lane, row.Restart)))
        {
            var chain = new byte[DigestChain.Size];
            var before = (byte[])chain.Clone();
            var interval = new List<ProofRow>();
            foreach (var row in lane.OrderBy(row => row.N))
            {
                var name = Digests.Keys.Single(n => n.Epoch.Prefix == row.Epoch && n.Lane == row.Lane && n.N == row.N);
                Assert.Equal(Digests[name], row.Digest);
                chain = SHA256.HashData([.. chain, .. BitConverter.GetBytes(row.N), .. row.Digest]);
                Assert.Equal(chain, row.Chain);
                interval.Add(row);
                Assert.Equal(interval[0].N, row.From);
                if (row.Signature.Length == 0)
                {
                    continue;
                }

                byte[] checkpoint =
                [
                    .. BitConverter.GetBytes(row.Epoch), .. BitConverter.GetBytes(row.Lane), .. BitConverter.GetBytes(row.From),
                    .. BitConverter.GetBytes(row.N), .. before, .. chain, .. SHA256.HashData([.. interval.SelectMany(r => r.Digest)]),
                ];
                Assert.True(BatchProofSignature.Verify(publicKey, checkpoint, row.Signature));
                checkpoint[8] ^= 1;
                Assert.False(BatchProofSignature.Verify(publicKey, checkpoint, row.Signature), "a proof of another lane");
                signed.UnionWith(interval.Select(r => name with { N = r.N }));
                before = chain;
                interval.Clear();
            }
        }

        return signed;
    }
}
