using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Streams.Schema;

/// <summary>The growing rows of one column. Fixed columns and dictionary indices (4 bytes each until sealed) are written in place.</summary>
internal sealed class ColumnBuffer(Column column)
{
    private byte[] _data = [];

    internal ColumnType Type { get; } = column.Type;

    internal ushort Id { get; } = column.Id;

    internal ushort Since { get; } = column.Since;

    /// <summary>Bytes per row in <see cref="_data"/>; 0 for String.</summary>
    internal int Width { get; } = column.Type == ColumnType.Dictionary ? 4 : ColumnTypes.Width(column.Type);

    internal KeyTable? Keys { get; } = column.Type == ColumnType.Dictionary ? new KeyTable() : null;

    /// <summary>Bytes of a String column.</summary>
    internal int Length { get; private set; }

    internal void Grow(int rows)
    {
        if (Width != 0)
        {
            Array.Resize(ref _data, rows * Width);
        }
    }

    internal void Clear()
    {
        Length = 0;
        Keys?.Clear();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Write<T>(int row, T value)
        where T : unmanaged
    {
        // One bounds check for the slice; the builder has grown every column before the row began.
        Unsafe.WriteUnaligned(ref MemoryMarshal.GetReference(_data.AsSpan(row * Unsafe.SizeOf<T>(), Unsafe.SizeOf<T>())), value);
    }

    internal void WriteBytes(int row, ReadOnlySpan<byte> value) => value.CopyTo(_data.AsSpan(row * Width, Width));

    /// <returns>Bytes added.</returns>
    internal int AppendString(ReadOnlySpan<byte> value)
    {
        var needed = Length + value.Length + Varuint.MaxBytes;
        if (needed > _data.Length)
        {
            Array.Resize(ref _data, Math.Max(Math.Max(needed, _data.Length * 2), 512));
        }

        var before = Length;
        Length += Varuint.Write(_data.AsSpan(Length), value.Length);
        value.CopyTo(_data.AsSpan(Length));
        Length += value.Length;
        return Length - before;
    }

    internal void WriteDefault(int row)
    {
        if (Type == ColumnType.String)
        {
            AppendString([]);
        }
        else
        {
            _data.AsSpan(row * Width, Width).Clear();
        }
    }

    /// <summary>Appends the value of every row, dictionary keys in full.</summary>
    internal void AppendTo(ISha256 hash, int rows)
    {
        if (Type != ColumnType.Dictionary)
        {
            hash.Append(Plain(rows));
            return;
        }

        var values = new BatchDigest.ValueBuffer(hash, stackalloc byte[BatchDigest.ValueBuffer.Size]);
        foreach (var index in MemoryMarshal.Cast<byte, int>(_data.AsSpan(0, rows * 4)))
        {
            values.Append(Keys!.EncodedKey(index));
        }

        values.Flush();
    }

    internal int IndexWidth => Keys!.Count <= 0x100 ? 1 : Keys.Count <= 0x10000 ? 2 : 4;

    /// <summary>Exact bytes of the column in the body.</summary>
    internal int EncodedLength(int rows) => Type switch
    {
        ColumnType.String => Length,
        ColumnType.Dictionary => 4 + Keys!.Encoded.Length + 1 + (rows * IndexWidth),
        _ => rows * Width,
    };

    /// <summary>The rows of a fixed or String column.</summary>
    internal ReadOnlySpan<byte> Plain(int rows) => _data.AsSpan(0, EncodedLength(rows));

    internal void Encode(int rows, Span<byte> destination)
    {
        if (Type != ColumnType.Dictionary)
        {
            Plain(rows).CopyTo(destination);
            return;
        }

        var keys = Keys!.Encoded;
        BinaryPrimitives.WriteUInt32LittleEndian(destination, (uint)Keys.Count);
        keys.CopyTo(destination[4..]);
        destination[4 + keys.Length] = (byte)IndexWidth;
        var indices = MemoryMarshal.Cast<byte, uint>(_data.AsSpan(0, rows * 4));
        var target = destination[(4 + keys.Length + 1)..];
        switch (IndexWidth)
        {
            case 1:
                for (var i = 0; i < indices.Length; i++)
                {
                    target[i] = (byte)indices[i];
                }

                break;
            case 2:
                var shorts = MemoryMarshal.Cast<byte, ushort>(target);
                for (var i = 0; i < indices.Length; i++)
                {
                    shorts[i] = (ushort)indices[i];
                }

                break;
            default:
                MemoryMarshal.AsBytes(indices).CopyTo(target);
                break;
        }
    }
}
