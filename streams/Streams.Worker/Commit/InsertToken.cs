using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Streams.Worker.Commit;

/// <summary>
/// The deduplication token of a block: SHA-256 over table, sorted batch names and attempt, as hex. No stream sequence, partition or
/// clock is in it: JetStream issues sequences again after it lost its tail, and a token that then meets other rows would make them
/// vanish (review 3).
/// </summary>
internal static class InsertToken
{
    public static string Of(string table, IReadOnlyList<PendingBatch> batches, int attempt)
    {
        var names = new (string Agent, ulong High, ulong Low, uint Lane, uint N)[batches.Count];
        Span<byte> epoch = stackalloc byte[Schema.Epoch.Size];
        for (var i = 0; i < names.Length; i++)
        {
            var name = batches[i].Batch.Name;
            name.Epoch.Write(epoch);
            names[i] = (
                batches[i].Batch.Head.AgentId,
                BinaryPrimitives.ReadUInt64BigEndian(epoch),
                BinaryPrimitives.ReadUInt64BigEndian(epoch[8..]),
                name.Lane,
                name.N);
        }

        Array.Sort(names, Compare);
        var text = new ArrayBufferWriter<byte>(64 + (names.Length * 48));
        Put(text, table);
        foreach (var name in names)
        {
            Put(text, name.Agent);
            var fixedPart = text.GetSpan(24);
            BinaryPrimitives.WriteUInt64BigEndian(fixedPart, name.High);
            BinaryPrimitives.WriteUInt64BigEndian(fixedPart[8..], name.Low);
            BinaryPrimitives.WriteUInt32BigEndian(fixedPart[16..], name.Lane);
            BinaryPrimitives.WriteUInt32BigEndian(fixedPart[20..], name.N);
            text.Advance(24);
        }

        BinaryPrimitives.WriteInt32BigEndian(text.GetSpan(4), attempt);
        text.Advance(4);
        return Convert.ToHexStringLower(SHA256.HashData(text.WrittenSpan));
    }

    private static int Compare((string Agent, ulong High, ulong Low, uint Lane, uint N) x, (string Agent, ulong High, ulong Low, uint Lane, uint N) y)
    {
        var agents = string.CompareOrdinal(x.Agent, y.Agent);
        return agents != 0 ? agents : (x.High, x.Low, x.Lane, x.N).CompareTo((y.High, y.Low, y.Lane, y.N));
    }

    // Length first, so that no two lists of names make the same bytes.
    private static void Put(ArrayBufferWriter<byte> text, string value)
    {
        var span = text.GetSpan(4 + Encoding.UTF8.GetMaxByteCount(value.Length));
        var length = Encoding.UTF8.GetBytes(value, span[4..]);
        BinaryPrimitives.WriteInt32BigEndian(span, length);
        text.Advance(4 + length);
    }
}
