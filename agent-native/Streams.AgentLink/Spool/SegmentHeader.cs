using System.Buffers.Binary;

namespace Streams.AgentLink.Spool;

/// <summary>
/// The first 80 bytes of a segment, little-endian. Written once: 0 magic 8, 8 version u16, 10 priority u8, 11 reserved u8, 12 lane u32,
/// 16 epoch 16, 32 created i64 (ms since 1970), 40 reserved 20, 60 CRC of the bytes before. Then the mark, which is overwritten: 64 flags
/// u8, 65 reserved 3, 68 committed u32, 72 signed u32, 76 CRC of the mark. A mark that cannot be read is taken for "nothing committed":
/// it only costs sending again.
/// </summary>
internal static class SegmentHeader
{
    internal const int FixedSize = 64;
    internal const int MarkSize = 16;
    internal const int Size = FixedSize + MarkSize;
    private const ushort Version = 1;

    private static ReadOnlySpan<byte> Magic => "STRMLANE"u8;

    [Flags]
    internal enum Flags : byte
    {
        None = 0,

        /// <summary>No batch will be added.</summary>
        Sealed = 1,

        /// <summary>Evicted: nothing but tombstones.</summary>
        Tombstones = 2,
    }

    internal static void WriteFixed(Span<byte> destination, SegmentName name, long created)
    {
        destination[..FixedSize].Clear();
        Magic.CopyTo(destination);
        BinaryPrimitives.WriteUInt16LittleEndian(destination[8..], Version);
        destination[10] = (byte)name.Priority;
        BinaryPrimitives.WriteUInt32LittleEndian(destination[12..], name.Lane);
        name.Epoch.Write(destination[16..]);
        BinaryPrimitives.WriteInt64LittleEndian(destination[32..], created);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[60..], Crc32C.Compute(destination[..60]));
    }

    internal static void WriteMark(Span<byte> destination, Flags flags, uint committed, uint signed)
    {
        destination[..MarkSize].Clear();
        destination[0] = (byte)flags;
        BinaryPrimitives.WriteUInt32LittleEndian(destination[4..], committed);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[8..], signed);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[12..], Crc32C.Compute(destination[..12]));
    }

    /// <summary>Time of creation; null when the bytes are damaged: the file's name says the rest.</summary>
    /// <param name="newer">True when a newer build wrote it: leave it alone.</param>
    internal static long? ReadFixed(ReadOnlySpan<byte> source, out bool newer)
    {
        newer = false;
        if (source.Length < FixedSize || !source[..8].SequenceEqual(Magic)
            || BinaryPrimitives.ReadUInt32LittleEndian(source[60..]) != Crc32C.Compute(source[..60]))
        {
            return null;
        }

        newer = BinaryPrimitives.ReadUInt16LittleEndian(source[8..]) > Version;
        return BinaryPrimitives.ReadInt64LittleEndian(source[32..]);
    }

    internal static (Flags Flags, uint Committed, uint Signed) ReadMark(ReadOnlySpan<byte> source) =>
        source.Length >= MarkSize && BinaryPrimitives.ReadUInt32LittleEndian(source[12..]) == Crc32C.Compute(source[..12])
            ? ((Flags)source[0], BinaryPrimitives.ReadUInt32LittleEndian(source[4..]), BinaryPrimitives.ReadUInt32LittleEndian(source[8..]))
            : default;
}
