using System.Buffers.Binary;
using Streams.Schema;

namespace Streams.AgentLink.Tests.Proof;

/// <summary>One row of batch_proof as it came.</summary>
internal sealed record ProofRow(ulong Epoch, uint Lane, uint N, byte[] Digest, byte[] Chain, uint From, byte[] Signature, bool Restart)
{
    internal static IEnumerable<ProofRow> Read(DecodedBatch batch)
    {
        var (digests, chains, signatures) = (Strings(batch, "digest"), Strings(batch, "chain"), Strings(batch, "signature"));
        for (var i = 0; i < batch.Rows; i++)
        {
            yield return new ProofRow(
                BinaryPrimitives.ReadUInt64LittleEndian(Data(batch, "proven_epoch")[(i * 8)..]),
                BinaryPrimitives.ReadUInt32LittleEndian(Data(batch, "proven_lane")[(i * 4)..]),
                BinaryPrimitives.ReadUInt32LittleEndian(Data(batch, "proven_batch")[(i * 4)..]),
                digests[i],
                chains[i],
                BinaryPrimitives.ReadUInt32LittleEndian(Data(batch, "from_batch")[(i * 4)..]),
                signatures[i],
                Data(batch, "restart")[i] != 0);
        }
    }

    private static ReadOnlySpan<byte> Data(DecodedBatch batch, string column) => batch.Column(batch.Class.OrdinalOf(column)).Data;

    private static List<byte[]> Strings(DecodedBatch batch, string column)
    {
        var strings = new List<byte[]>();
        foreach (var text in batch.Column(batch.Class.OrdinalOf(column)).Strings())
        {
            strings.Add(text.ToArray());
        }

        return strings;
    }
}
