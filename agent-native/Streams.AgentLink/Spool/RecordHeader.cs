using System.Buffers.Binary;
using Streams.Schema;

namespace Streams.AgentLink.Spool;

/// <summary>
/// The 32 bytes before each batch of a segment, little-endian: 0 magic u32, 4 length u32, 8 n u32, 12 prefix u32, 16 CRC of the prefix,
/// 20 CRC of the rest, 24 reserved u32, 28 CRC of these bytes. The prefix is the batch's own header and ledger: with a sum of its own a
/// batch whose rows are damaged can still say what it accounted for. The last sum is seeded by the segment's name, so that no content of
/// a batch can pose as a record.
/// </summary>
internal readonly record struct RecordHeader(uint N, int Length, int Prefix, uint PrefixSum, uint RestSum)
{
    internal const int Size = 32;
    internal const uint Magic = 0xC3B7_5301;

    /// <summary>Fills the first bytes of <paramref name="record"/> for the batch that follows them.</summary>
    internal static void Write(Span<byte> record, uint n, uint salt)
    {
        var batch = record[Size..];
        var prefix = BatchHeader.TryRead(batch, out var header, out _)
            ? Math.Min(BatchHeader.Size + header.LedgerLength, batch.Length) : batch.Length;
        BinaryPrimitives.WriteUInt32LittleEndian(record, Magic);
        BinaryPrimitives.WriteUInt32LittleEndian(record[4..], (uint)batch.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(record[8..], n);
        BinaryPrimitives.WriteUInt32LittleEndian(record[12..], (uint)prefix);
        BinaryPrimitives.WriteUInt32LittleEndian(record[16..], Crc32C.Compute(batch[..prefix]));
        BinaryPrimitives.WriteUInt32LittleEndian(record[20..], Crc32C.Compute(batch[prefix..]));
        BinaryPrimitives.WriteUInt32LittleEndian(record[24..], 0);
        BinaryPrimitives.WriteUInt32LittleEndian(record[28..], Crc32C.Compute(record[..28], salt));
    }

    /// <summary>False when these bytes are not the start of a record of this segment.</summary>
    internal static bool TryRead(ReadOnlySpan<byte> source, uint salt, out RecordHeader header)
    {
        header = default;
        if (source.Length < Size || BinaryPrimitives.ReadUInt32LittleEndian(source) != Magic
            || BinaryPrimitives.ReadUInt32LittleEndian(source[28..]) != Crc32C.Compute(source[..28], salt))
        {
            return false;
        }

        var length = BinaryPrimitives.ReadUInt32LittleEndian(source[4..]);
        var prefix = BinaryPrimitives.ReadUInt32LittleEndian(source[12..]);
        if (length > Limits.MaxStoredBytes || prefix > length)
        {
            return false;
        }

        header = new RecordHeader(BinaryPrimitives.ReadUInt32LittleEndian(source[8..]), (int)length, (int)prefix,
            BinaryPrimitives.ReadUInt32LittleEndian(source[16..]), BinaryPrimitives.ReadUInt32LittleEndian(source[20..]));
        return true;
    }
}
