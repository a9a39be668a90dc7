using System.Buffers.Binary;

namespace Streams.Wire.Messages;

/// <summary>
/// Reads big-endian fields with a sticky failure: after the first field that is not there every read gives zero and <see cref="Failed"/>
/// stays true, so a decoder checks once, before it trusts or allocates anything.
/// </summary>
internal ref struct WireReader
{
    private readonly ReadOnlySpan<byte> _data;
    private int _at;

    internal WireReader(ReadOnlySpan<byte> data) => _data = data;

    internal bool Failed { get; private set; }

    internal readonly int Position => _at;

    internal readonly int Remaining => _data.Length - _at;

    /// <summary>True when every byte was read and nothing failed: trailing bytes are refused everywhere.</summary>
    internal readonly bool AtEnd => !Failed && _at == _data.Length;

    internal ReadOnlySpan<byte> Bytes(int count)
    {
        if (Failed || count > _data.Length - _at)
        {
            Failed = true;
            return default;
        }

        var bytes = _data.Slice(_at, count);
        _at += count;
        return bytes;
    }

    internal byte U8() => Bytes(1) is { Length: 1 } b ? b[0] : (byte)0;

    internal ushort U16() => Bytes(2) is { Length: 2 } b ? BinaryPrimitives.ReadUInt16BigEndian(b) : (ushort)0;

    internal uint U32() => Bytes(4) is { Length: 4 } b ? BinaryPrimitives.ReadUInt32BigEndian(b) : 0;

    internal ulong U64() => Bytes(8) is { Length: 8 } b ? BinaryPrimitives.ReadUInt64BigEndian(b) : 0;

    internal UInt128 U128() => Bytes(16) is { Length: 16 } b ? BinaryPrimitives.ReadUInt128BigEndian(b) : 0;

    /// <summary>Length byte and that many bytes, at most <paramref name="max"/>.</summary>
    internal ReadOnlySpan<byte> Str8(int max) => Bounded(U8(), max);

    internal ReadOnlySpan<byte> Str16(int max) => Bounded(U16(), max);

    internal ReadOnlySpan<byte> Str32(int max) => Bounded((int)Math.Min(U32(), int.MaxValue), max);

    private ReadOnlySpan<byte> Bounded(int length, int max)
    {
        if (length > max)
        {
            Failed = true;
        }

        return Bytes(length);
    }
}
