namespace Streams.Schema;

/// <summary>
/// Where the blocks of a zstd frame end. A column that is not small gets blocks of its own, hence its own Huffman table: text and numbers share none
/// well. For 1,000 rows of the bench's mix that is 30 bytes a row instead of 36, and any zstd decoder reads it.
/// </summary>
internal static class BlockCuts
{
    /// <summary>Below it a table costs more than it saves.</summary>
    private const uint OwnBlockBytes = 1024;

    /// <param name="body">Descriptors, then the columns.</param>
    /// <param name="cuts">Receives the ends of blocks, rising; what has no room is not cut.</param>
    /// <returns>How many.</returns>
    public static int Find(ReadOnlySpan<byte> body, int columns, Span<int> cuts)
    {
        var position = columns * ColumnDescriptor.Size;
        var (count, small) = (0, true);
        for (var i = 0; i < columns && count < cuts.Length; i++)
        {
            var length = ColumnDescriptor.Read(body[(i * ColumnDescriptor.Size)..]).Length;
            var wasSmall = small;
            small = length < OwnBlockBytes;
            if (!small || !wasSmall)
            {
                cuts[count++] = position;
            }

            position += (int)length;
        }

        return count;
    }
}
