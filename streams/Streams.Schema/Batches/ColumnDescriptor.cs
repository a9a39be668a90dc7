using System.Buffers.Binary;

namespace Streams.Schema;

/// <summary>How a batch names one of its columns, 8 bytes: id u16, type u8, encoding u8 (0 in format 1), byte length u32.</summary>
internal readonly record struct ColumnDescriptor(ushort Id, byte Type, byte Encoding, uint Length)
{
    public const int Size = 8;

    public static ColumnDescriptor Read(ReadOnlySpan<byte> source) => new(
        BinaryPrimitives.ReadUInt16LittleEndian(source),
        source[2],
        source[3],
        BinaryPrimitives.ReadUInt32LittleEndian(source[4..]));

    public void Write(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(destination, Id);
        destination[2] = Type;
        destination[3] = Encoding;
        BinaryPrimitives.WriteUInt32LittleEndian(destination[4..], Length);
    }
}
