namespace Streams.Schema;

/// <summary>
/// LEB128 lengths as in ClickHouse's Native format, at most 3 bytes because no string is longer than 64 KiB. Only the shortest form
/// is accepted: batch digests are computed from rows, so two encodings of one row must not exist.
/// </summary>
internal static class Varuint
{
    internal const int MaxBytes = 3;

    internal static int Size(int value) => value < 0x80 ? 1 : value < 0x4000 ? 2 : 3;

    /// <returns>Bytes written.</returns>
    internal static int Write(Span<byte> destination, int value)
    {
        var i = 0;
        while (value >= 0x80)
        {
            destination[i++] = (byte)(value | 0x80);
            value >>= 7;
        }

        destination[i] = (byte)value;
        return i + 1;
    }

    /// <summary>Reads at <paramref name="position"/> and moves it behind; false leaves the position undefined.</summary>
    internal static bool TryRead(ReadOnlySpan<byte> source, ref int position, out int value)
    {
        value = 0;
        for (var shift = 0; shift < 7 * MaxBytes; shift += 7)
        {
            if ((uint)position >= (uint)source.Length)
            {
                return false;
            }

            int b = source[position++];
            value |= (b & 0x7F) << shift;
            if (b < 0x80)
            {
                return b != 0 || shift == 0;
            }
        }

        return false;
    }
}
