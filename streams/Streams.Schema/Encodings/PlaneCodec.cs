using System.Numerics;
using System.Runtime.InteropServices;

namespace Streams.Schema;

/// <summary>
/// Fixed columns as byte planes, of the values or of their differences: the bytes that never change stand together and compress to nothing,
/// where a general compressor finds no match in numbers that all differ in their lowest bytes. The idea is that of Blosc's shuffle filter.
/// </summary>
internal static class PlaneCodec
{
    /// <summary>Rows at a time: 2 KiB of values on the stack, so that each plane is written from the first-level cache.</summary>
    private const int ChunkRows = 256;

    /// <summary>
    /// Whether planes of the values or of the differences need fewer bits, by the highest bit that each row has; what the compressor makes of it follows that closely.
    /// </summary>
    /// <param name="bits">How many, over all rows.</param>
    internal static ColumnEncoding Choose(ReadOnlySpan<byte> values, int width, out long bits)
    {
        var rows = values.Length / width;
        Span<ulong> chunk = stackalloc ulong[ChunkRows];
        long ofValues = 0;
        long ofDifferences = 0;
        for (var word = 0; word < width; word += 8)
        {
            var shift = 64 - (Math.Min(width - word, 8) * 8);
            var (first, before) = (0UL, 0UL);
            for (var start = 0; start < rows; start += ChunkRows)
            {
                var part = chunk[..Math.Min(ChunkRows, rows - start)];
                Load(values[(start * width)..], width, word, part);
                if (start == 0)
                {
                    first = before = part[0];
                }

                foreach (var value in part)
                {
                    ofValues += 64 - BitOperations.LeadingZeroCount(value ^ first);
                    ofDifferences += 64 - BitOperations.LeadingZeroCount(ZigZag(value - before, shift));
                    before = value;
                }
            }
        }

        // Differences of random values are as random; only what is clearly less is worth the sums of the reader.
        var differences = width <= 8 && ofDifferences < ofValues - (ofValues / 16);
        bits = differences ? ofDifferences : ofValues;
        return differences ? ColumnEncoding.DeltaPlanes : ColumnEncoding.Planes;
    }

    /// <param name="destination">As long as <paramref name="values"/>.</param>
    internal static void Encode(ReadOnlySpan<byte> values, int width, bool differences, Span<byte> destination)
    {
        var rows = values.Length / width;
        Span<ulong> chunk = stackalloc ulong[ChunkRows];
        for (var word = 0; word < width; word += 8)
        {
            var bytes = Math.Min(width - word, 8);
            var before = 0UL;
            for (var start = 0; start < rows; start += ChunkRows)
            {
                var part = chunk[..Math.Min(ChunkRows, rows - start)];
                Load(values[(start * width)..], width, word, part);
                if (differences)
                {
                    before = Differentiate(part, before, 64 - (bytes * 8));
                }

                for (var k = 0; k < bytes; k++)
                {
                    Split(part, k * 8, destination.Slice(((word + k) * rows) + start, part.Length));
                }
            }
        }
    }

    /// <param name="planes">As long as <paramref name="destination"/>; any bytes are a column.</param>
    internal static void Decode(ReadOnlySpan<byte> planes, int width, bool differences, Span<byte> destination)
    {
        var rows = planes.Length / width;
        Span<ulong> chunk = stackalloc ulong[ChunkRows];
        for (var word = 0; word < width; word += 8)
        {
            var bytes = Math.Min(width - word, 8);
            var before = 0UL;
            for (var start = 0; start < rows; start += ChunkRows)
            {
                var part = chunk[..Math.Min(ChunkRows, rows - start)];
                part.Clear();
                for (var k = 0; k < bytes; k++)
                {
                    Join(planes.Slice(((word + k) * rows) + start, part.Length), k * 8, part);
                }

                if (differences)
                {
                    before = Integrate(part, before);
                }

                Store(part, width, word, destination[(start * width)..]);
            }
        }
    }

    private static void Split(ReadOnlySpan<ulong> values, int shift, Span<byte> plane)
    {
        for (var i = 0; i < plane.Length; i++)
        {
            plane[i] = (byte)(values[i] >> shift);
        }
    }

    private static void Join(ReadOnlySpan<byte> plane, int shift, Span<ulong> values)
    {
        if (plane[0] == 0 && !plane.ContainsAnyExcept((byte)0))
        {
            return; // most planes of most columns
        }

        values = values[..plane.Length];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] |= (ulong)plane[i] << shift;
        }
    }

    private static ulong Differentiate(Span<ulong> values, ulong before, int shift)
    {
        foreach (ref var value in values)
        {
            (value, before) = (ZigZag(value - before, shift), value);
        }

        return before;
    }

    private static ulong Integrate(Span<ulong> values, ulong before)
    {
        foreach (ref var value in values)
        {
            before += (value >> 1) ^ (0 - (value & 1));
            value = before;
        }

        return before;
    }

    /// <summary>A difference modulo 2^(64 - shift), its sign in the lowest bit.</summary>
    private static ulong ZigZag(ulong difference, int shift)
    {
        var signed = (long)(difference << shift) >> shift;
        return ((ulong)(signed << 1) ^ (ulong)(signed >> 63)) << shift >> shift;
    }

    private static void Load(ReadOnlySpan<byte> from, int width, int word, Span<ulong> to)
    {
        switch (width)
        {
            case 2:
                var shorts = MemoryMarshal.Cast<byte, ushort>(from);
                for (var i = 0; i < to.Length; i++)
                {
                    to[i] = shorts[i];
                }

                break;
            case 4:
                var ints = MemoryMarshal.Cast<byte, uint>(from);
                for (var i = 0; i < to.Length; i++)
                {
                    to[i] = ints[i];
                }

                break;
            default:
                var longs = MemoryMarshal.Cast<byte, ulong>(from);
                for (var i = 0; i < to.Length; i++)
                {
                    to[i] = longs[((i * width) + word) / 8];
                }

                break;
        }
    }

    private static void Store(ReadOnlySpan<ulong> from, int width, int word, Span<byte> to)
    {
        switch (width)
        {
            case 2:
                var shorts = MemoryMarshal.Cast<byte, ushort>(to);
                for (var i = 0; i < from.Length; i++)
                {
                    shorts[i] = (ushort)from[i];
                }

                break;
            case 4:
                var ints = MemoryMarshal.Cast<byte, uint>(to);
                for (var i = 0; i < from.Length; i++)
                {
                    ints[i] = (uint)from[i];
                }

                break;
            default:
                var longs = MemoryMarshal.Cast<byte, ulong>(to);
                for (var i = 0; i < from.Length; i++)
                {
                    longs[((i * width) + word) / 8] = from[i];
                }

                break;
        }
    }
}
