namespace Streams.Schema;

/// <summary>Chooses how a column is laid out, and lays it out. One per thread: it holds the scratch of both dictionaries. Not thread-safe.</summary>
internal sealed class ColumnEncoder
{
    /// <summary>Rows below which nothing is gained.</summary>
    private const int FewRows = 8;

    /// <summary>Bits a row from which a table is tried: below, it cannot win much.</summary>
    private const int TableBits = 8;

    private readonly KeyTable _keys = new();

    /// <param name="plain">The column as it is.</param>
    /// <param name="destination">As long.</param>
    /// <param name="cuts">Told the lengths of what was written.</param>
    /// <param name="length">Bytes written, at most as many.</param>
    internal ColumnEncoding Encode(ReadOnlySpan<byte> plain, ColumnType type, int rows, Span<byte> destination, ref BlockCuts cuts, out int length)
    {
        length = plain.Length;
        var width = ColumnTypes.Width(type);
        if (rows >= FewRows && width >= 2)
        {
            var planes = PlaneCodec.Choose(plain, width, out var bits);
            length = width >= 4 && bits > TableBits * (long)rows ? TableCodec.TryEncode(plain, width, _keys, bits, destination) : 0;
            var encoding = length == 0 ? planes : ColumnEncoding.Table;
            if (length == 0)
            {
                PlaneCodec.Encode(plain, width, planes == ColumnEncoding.DeltaPlanes, destination);
                length = plain.Length;
            }

            cuts.Next(length);
            return encoding;
        }

        if (rows >= FewRows && type == ColumnType.String)
        {
            length = WordEncoder.TryEncode(plain, rows, _keys, destination, ref cuts);
            if (length > 0)
            {
                return ColumnEncoding.Words;
            }

            length = plain.Length;
        }

        plain.CopyTo(destination);
        cuts.Next(length);
        return ColumnEncoding.Plain;
    }
}
