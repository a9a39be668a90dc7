using System.Text.Json;

namespace Streams.Schema.Tests.Proof;

/// <summary>The digests that tests/vectors/proof.py, which knows nothing of this code, computed of the golden batches.</summary>
public sealed class VectorTests
{
    [Fact]
    public void Digests_and_chain_are_those_of_the_vectors()
    {
        var vector = JsonDocument.Parse(File.ReadAllBytes(Repository.Path("tests", "vectors", "digest-chain-v1.json"))).RootElement;
        using var hash = new RuntimeSha256();
        using var batch = new DecodedBatch();
        var sequence = new BatchSequence(File.ReadAllBytes(Repository.Path("tests", "vectors", "batch-v1.bin")));
        byte[] digest = new byte[BatchDigest.Size], chain = new byte[DigestChain.Size], digests = [];
        var n = 0u;
        for (; sequence.MoveNext(); n++)
        {
            Assert.True(BatchDecoder.TryDecode(sequence.Current.Span, AllTypes.Class, batch, out _));
            Assert.True(BatchDigest.TryOf(batch, hash, digest));
            Assert.Equal(Text($"digest_{n}"), Convert.ToHexStringLower(digest));
            DigestChain.Step(chain, n, digest, hash);
            Assert.Equal(Text($"chain_{n}"), Convert.ToHexStringLower(chain));
            digests = [.. digests, .. digest];
            if (n == 0)
            {
                BatchDigest.OfHeader(batch.Header, hash, digest);
                Assert.Equal(Text("digest_tombstone_0"), Convert.ToHexStringLower(digest));
            }
        }

        Assert.Equal(3u, n);
        hash.Append(digests);
        hash.Finish(digest);
        var checkpoint = new byte[DigestChain.CheckpointSize];
        var name = batch.Header.Name;
        DigestChain.WriteCheckpoint(checkpoint, name.Epoch.Prefix, name.Lane, 0, n - 1, new byte[DigestChain.Size], chain, digest);
        Assert.Equal(Text("checkpoint"), Convert.ToHexStringLower(checkpoint));

        string Text(string field) => vector.GetProperty(field).GetString()!;
    }
}
