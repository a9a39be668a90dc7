using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Streams.Schema;

/// <summary>Checks the bytes of one column against its type and the number of rows.</summary>
internal static class ColumnChecker
{
    internal static BatchError Check(
        ReadOnlySpan<byte> data, ColumnType type, ushort id, int rows, int start, out DecodedBatch.Slot slot)
    {
        slot = new DecodedBatch.Slot(start, data.Length);
        switch (type)
        {
            case ColumnType.String:
                var end = 0;
                var error = Strings(data, id, rows, ref end);
                return error.Kind == BatchErrorKind.None && end != data.Length
                    ? new BatchError(BatchErrorKind.ColumnLength, id, data.Length, end)
                    : error;
            case ColumnType.Dictionary:
                return Dictionary(data, id, rows, start, out slot);
            default:
                var expected = (long)rows * ColumnTypes.Width(type);
                if (data.Length != expected)
                {
                    return new BatchError(BatchErrorKind.ColumnLength, id, data.Length, expected);
                }

                return type == ColumnType.Bool && data.ContainsAnyExceptInRange((byte)0, (byte)1)
                    ? new BatchError(BatchErrorKind.BoolValue, id, 0, 1)
                    : default;
        }
    }

    /// <summary>Walks <paramref name="count"/> strings from <paramref name="position"/> and moves it behind the last.</summary>
    private static BatchError Strings(ReadOnlySpan<byte> data, ushort id, int count, ref int position)
    {
        for (var i = 0; i < count; i++)
        {
            // Nearly all lengths are one byte; the walk is a chain of dependent loads that no vector can shorten.
            int length;
            if ((uint)position < (uint)data.Length && data[position] < 0x80)
            {
                length = data[position++];
            }
            else if (!Varuint.TryRead(data, ref position, out length) || length > Limits.MaxStringBytes)
            {
                return new BatchError(BatchErrorKind.StringLength, id, length, Limits.MaxStringBytes);
            }

            if (length > data.Length - position)
            {
                return new BatchError(BatchErrorKind.StringLength, id, length, data.Length - position);
            }

            position += length;
        }

        return default;
    }

    private static BatchError Dictionary(ReadOnlySpan<byte> data, ushort id, int rows, int start, out DecodedBatch.Slot slot)
    {
        slot = default;
        if (data.Length < 4)
        {
            return new BatchError(BatchErrorKind.ColumnLength, id, data.Length, 4);
        }

        // Key 0 is the empty string, every other key is used by a row: more than rows + 1 is a lie.
        var count = BinaryPrimitives.ReadUInt32LittleEndian(data);
        if (count == 0 || count > (uint)rows + 1 || data.Length < 5 || data[4] != 0)
        {
            return new BatchError(BatchErrorKind.DictionaryKeys, id, count, (long)rows + 1);
        }

        var position = 4;
        var error = Strings(data, id, (int)count, ref position);
        if (error.Kind != BatchErrorKind.None)
        {
            return error;
        }

        int width = position < data.Length ? data[position] : 0;
        if (width is not (1 or 2 or 4))
        {
            return new BatchError(BatchErrorKind.DictionaryIndexWidth, id, width, 4);
        }

        slot = new DecodedBatch.Slot(start, data.Length, (int)count, position - 4, width);
        var indices = data[(position + 1)..];
        if (indices.Length != (long)rows * width)
        {
            return new BatchError(BatchErrorKind.ColumnLength, id, indices.Length, (long)rows * width);
        }

        var max = width switch
        {
            1 => Max<byte>(indices),
            2 => Max(MemoryMarshal.Cast<byte, ushort>(indices)),
            _ => Max(MemoryMarshal.Cast<byte, uint>(indices)),
        };
        return max >= count ? new BatchError(BatchErrorKind.DictionaryIndex, id, max, count - 1) : default;
    }

    private static long Max<T>(ReadOnlySpan<T> values)
        where T : unmanaged, INumber<T>
    {
        var max = T.Zero;
        if (Vector.IsHardwareAccelerated && values.Length >= Vector<T>.Count)
        {
            var vectors = MemoryMarshal.Cast<T, Vector<T>>(values);
            var top = vectors[0];
            foreach (var v in vectors)
            {
                top = Vector.Max(top, v);
            }

            for (var i = 0; i < Vector<T>.Count; i++)
            {
                max = T.Max(max, top[i]);
            }

            values = values[(vectors.Length * Vector<T>.Count)..];
        }

        foreach (var value in values)
        {
            max = T.Max(max, value);
        }

        return long.CreateTruncating(max);
    }
}
