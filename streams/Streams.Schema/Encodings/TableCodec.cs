using System.Numerics;
using System.Runtime.InteropServices;

namespace Streams.Schema;

/// <summary>
/// Wide values of which a column has few: each once, and a byte per row. Layout: <c>count - 1 u8 ‖ count values ‖ rows × index u8</c>. For identifiers such as those of
/// cgroups and inodes, whose bytes are all different and whose values are not.
/// </summary>
internal static class TableCodec
{
    internal const int MaxValues = 256;

    /// <summary>Rows below which a table is not tried, and rows that a value must have on average.</summary>
    private const int RowsPerValue = 4;

    /// <param name="keys">Scratch.</param>
    /// <param name="bits">What another encoding needs: nothing is written unless the table needs less.</param>
    /// <returns>Bytes written; 0 when it does not pay or does not fit.</returns>
    internal static int TryEncode(ReadOnlySpan<byte> values, int width, KeyTable keys, long bits, Span<byte> destination)
    {
        var rows = values.Length / width;
        var most = Math.Min(MaxValues, rows / RowsPerValue);
        keys.Clear();
        Span<byte> head = destination.Length < 1 ? [] : destination[1..];
        if (head.Length < (most * width) + rows)
        {
            return 0;
        }

        // The indices go where they belong if the table has the most values it may have, and are moved up to the values that there are.
        var indices = head.Slice(most * width, rows);
        for (var row = 0; row < rows; row++)
        {
            var value = values.Slice(row * width, width);
            var index = keys.Intern(value) - 1; // key 0 is the empty string, which no value is
            if (index >= most)
            {
                return 0;
            }

            if (index == keys.Count - 2)
            {
                value.CopyTo(head[(index * width)..]);
            }

            indices[row] = (byte)index;
        }

        var count = keys.Count - 1;
        if (((long)count * width * 8) + ((long)rows * BitOperations.Log2((uint)(count * 2) - 1)) >= bits)
        {
            return 0;
        }

        destination[0] = (byte)(count - 1);
        indices.CopyTo(head[(count * width)..]);
        return 1 + (count * width) + rows;
    }

    internal static BatchError Decode(ReadOnlySpan<byte> source, ushort id, int width, Span<byte> destination)
    {
        var rows = destination.Length / width;
        var count = source.IsEmpty ? 1 : source[0] + 1;
        if (source.Length != 1 + (count * width) + rows)
        {
            return new BatchError(BatchErrorKind.ColumnEncoding, id, source.Length, 1 + (count * width) + rows);
        }

        var values = source.Slice(1, count * width);
        var indices = source[(1 + values.Length)..];
        var outside = count == MaxValues ? -1 : indices.IndexOfAnyExceptInRange((byte)0, (byte)(count - 1));
        if (outside >= 0)
        {
            return new BatchError(BatchErrorKind.ColumnEncoding, id, indices[outside], count - 1);
        }

        switch (width)
        {
            case 4: Gather<uint>(values, indices, destination); break;
            case 8: Gather<ulong>(values, indices, destination); break;
            default: Gather<UInt128>(values, indices, destination); break;
        }

        return default;
    }

    private static void Gather<T>(ReadOnlySpan<byte> values, ReadOnlySpan<byte> indices, Span<byte> destination)
        where T : unmanaged
    {
        var from = MemoryMarshal.Cast<byte, T>(values);
        var to = MemoryMarshal.Cast<byte, T>(destination);
        for (var i = 0; i < to.Length; i++)
        {
            to[i] = from[indices[i]];
        }
    }
}
