using System.Text.Json;

namespace Streams.Schema.Tests.Proof;

/// <summary>tests/vectors/digest-chain-v1.json: digests and chain of the three batches of batch-v1.bin, and what the agent signs of them.</summary>
public sealed class ChainVectorTests
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    [Fact]
    public void Our_code_still_makes_the_published_chain()
    {
        using var hash = new RuntimeSha256();
        var v = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var chain = new byte[DigestChain.Size];
        var digests = new List<byte>();
        var sequence = new BatchSequence(File.ReadAllBytes(Repository.Path("tests", "vectors", "batch-v1.bin")));
        using var batch = new DecodedBatch();
        var header = default(BatchHeader);
        while (sequence.MoveNext())
        {
            Assert.True(BatchDecoder.TryDecode(sequence.Current.Span, AllTypes.Class, batch, out _));
            var digest = new byte[BatchDigest.Size];
            Assert.True(BatchDigest.TryOf(batch, hash, digest));
            header = batch.Header;
            DigestChain.Step(chain, header.Name.N, digest, hash);
            v[$"digest_{header.Name.N}"] = Convert.ToHexStringLower(digest);
            v[$"chain_{header.Name.N}"] = Convert.ToHexStringLower(chain);
            digests.AddRange(digest);
        }

        var tombstone = new byte[BatchDigest.Size];
        BatchDigest.OfHeader(header with { Name = header.Name with { N = 0 } }, hash, tombstone);
        v["digest_tombstone_0"] = Convert.ToHexStringLower(tombstone);
        var all = System.Security.Cryptography.SHA256.HashData(digests.ToArray());
        var checkpoint = new byte[DigestChain.CheckpointSize];
        DigestChain.WriteCheckpoint(checkpoint, header.Name.Epoch.Prefix, header.Name.Lane, 0, header.Name.N, new byte[DigestChain.Size], chain, all);
        v["checkpoint"] = Convert.ToHexStringLower(checkpoint);
        var made = JsonSerializer.Serialize(v, Indented) + "\n";
        var path = Repository.Path("tests", "vectors", "digest-chain-v1.json");
        if (Environment.GetEnvironmentVariable("STREAMS_UPDATE_VECTORS") == "1")
        {
            File.WriteAllText(path, made);
        }

        Assert.Equal(File.ReadAllText(path), made);
    }
}
