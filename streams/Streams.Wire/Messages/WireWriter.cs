using System.Buffers.Binary;

namespace Streams.Wire.Messages;

/// <summary>Writes big-endian fields. The caller's buffer must be large enough: too small is a programming error and throws.</summary>
internal ref struct WireWriter
{
    private readonly Span<byte> _buffer;
    private int _at;

    internal WireWriter(Span<byte> buffer) => _buffer = buffer;

    internal readonly int Position => _at;

    internal Span<byte> Reserve(int count)
    {
        var place = _buffer.Slice(_at, count);
        _at += count;
        return place;
    }

    internal void Bytes(ReadOnlySpan<byte> value) => value.CopyTo(Reserve(value.Length));

    internal void U8(byte value) => Reserve(1)[0] = value;

    internal void U16(ushort value) => BinaryPrimitives.WriteUInt16BigEndian(Reserve(2), value);

    internal void U32(uint value) => BinaryPrimitives.WriteUInt32BigEndian(Reserve(4), value);

    internal void U64(ulong value) => BinaryPrimitives.WriteUInt64BigEndian(Reserve(8), value);

    internal void U128(UInt128 value) => BinaryPrimitives.WriteUInt128BigEndian(Reserve(16), value);

    internal void Str8(ReadOnlySpan<byte> value)
    {
        U8(checked((byte)value.Length));
        Bytes(value);
    }

    internal void Str16(ReadOnlySpan<byte> value)
    {
        U16(checked((ushort)value.Length));
        Bytes(value);
    }

    internal void Str32(ReadOnlySpan<byte> value)
    {
        U32((uint)value.Length);
        Bytes(value);
    }
}
