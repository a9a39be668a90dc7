using System.Buffers;

namespace Streams.Schema;

/// <summary>
/// Decompresses a body of format 2, whose descriptors name an encoding for each column, into one of format 1: the columns as they are, in the same order, to be checked like
/// any other. Columns that the class does not have stay behind with a length of 0.
/// </summary>
internal static class EncodedBody
{
    /// <param name="stored">The stored body.</param>
    /// <param name="target">Receives the body, of at most <see cref="Limits.MaxDecodedBytes"/>: what is larger is refused before room is made for it.</param>
    /// <param name="length">Its bytes.</param>
    internal static BatchError TryExpand(ReadOnlySpan<byte> stored, in BatchHeader header, EventClass eventClass, DecodedBatch target, out int length)
    {
        length = 0;
        var packed = ArrayPool<byte>.Shared.Rent(header.DecodedLength);
        try
        {
            var body = packed.AsSpan(0, header.DecodedLength);
            if (!BatchDecompressor.TryDecompress(header.Compression, stored, body))
            {
                return new BatchError(BatchErrorKind.Decompression, 0, header.StoredLength, header.DecodedLength);
            }

            Span<int> lengths = stackalloc int[header.Columns];
            var error = Measure(body, header, eventClass, lengths, out length);
            return error.Kind != BatchErrorKind.None ? error : Expand(body, header.Rows, lengths, target.Body(length));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(packed);
        }
    }

    /// <param name="lengths">Receives the bytes of each column as it is.</param>
    private static BatchError Measure(ReadOnlySpan<byte> body, in BatchHeader header, EventClass eventClass, Span<int> lengths, out int total)
    {
        total = 0;
        var position = lengths.Length * ColumnDescriptor.Size;
        long plain = position;
        for (var i = 0; i < lengths.Length; i++)
        {
            var descriptor = ColumnDescriptor.Read(body[(i * ColumnDescriptor.Size)..]);
            if (descriptor.Length > (uint)(body.Length - position))
            {
                return new BatchError(BatchErrorKind.ColumnLength, descriptor.Id, descriptor.Length, body.Length - position);
            }

            var data = body.Slice(position, (int)descriptor.Length);
            position += data.Length;
            if (!eventClass.TryGetOrdinal(descriptor.Id, out _))
            {
                continue;
            }

            var error = PlainLength(descriptor, data, header.Rows, out var length);
            if (error.Kind != BatchErrorKind.None)
            {
                return error;
            }

            plain += length;
            if (plain > Limits.MaxDecodedBytes)
            {
                return new BatchError(BatchErrorKind.DecodedLength, descriptor.Id, plain, Limits.MaxDecodedBytes);
            }

            lengths[i] = (int)length;
        }

        total = (int)plain;
        return position == body.Length ? default : new BatchError(BatchErrorKind.DecodedLength, 0, body.Length, position);
    }

    private static BatchError PlainLength(ColumnDescriptor descriptor, ReadOnlySpan<byte> data, int rows, out long length)
    {
        length = data.Length;
        if (descriptor.Encoding == (byte)ColumnEncoding.Plain)
        {
            return default;
        }

        if (descriptor.Encoding > (byte)ColumnEncoding.Words)
        {
            return new BatchError(BatchErrorKind.UnknownEncoding, descriptor.Id, descriptor.Encoding, (byte)ColumnEncoding.Words);
        }

        var (encoding, type) = ((ColumnEncoding)descriptor.Encoding, (ColumnType)descriptor.Type);
        var width = ColumnTypes.Width(type);
        var fits = encoding switch
        {
            ColumnEncoding.Planes => width >= 2,
            ColumnEncoding.DeltaPlanes => width is >= 2 and <= 8,
            ColumnEncoding.Table => width >= 4,
            _ => type == ColumnType.String,
        };
        if (!fits)
        {
            return new BatchError(BatchErrorKind.ColumnEncoding, descriptor.Id, descriptor.Encoding, descriptor.Type);
        }

        if (encoding == ColumnEncoding.Words)
        {
            return WordDecoder.PlainLength(data, descriptor.Id, out length);
        }

        length = (long)rows * width;
        return encoding == ColumnEncoding.Table || length == data.Length
            ? default
            : new BatchError(BatchErrorKind.ColumnLength, descriptor.Id, data.Length, length);
    }

    private static BatchError Expand(ReadOnlySpan<byte> body, int rows, ReadOnlySpan<int> lengths, Span<byte> target)
    {
        var from = lengths.Length * ColumnDescriptor.Size;
        var to = from;
        for (var i = 0; i < lengths.Length; i++)
        {
            var descriptor = ColumnDescriptor.Read(body[(i * ColumnDescriptor.Size)..]);
            (descriptor with { Encoding = 0, Length = (uint)lengths[i] }).Write(target[(i * ColumnDescriptor.Size)..]);
            var data = body.Slice(from, (int)descriptor.Length);
            var plain = target.Slice(to, lengths[i]);
            from += data.Length;
            to += plain.Length;
            if (plain.IsEmpty)
            {
                continue;
            }

            var width = ColumnTypes.Width((ColumnType)descriptor.Type);
            BatchError error = default;
            switch ((ColumnEncoding)descriptor.Encoding)
            {
                case ColumnEncoding.Plain: data.CopyTo(plain); break;
                case ColumnEncoding.Table: error = TableCodec.Decode(data, descriptor.Id, width, plain); break;
                case ColumnEncoding.Words: error = WordDecoder.Decode(data, descriptor.Id, rows, plain); break;
                default: PlaneCodec.Decode(data, width, (ColumnEncoding)descriptor.Encoding == ColumnEncoding.DeltaPlanes, plain); break;
            }

            if (error.Kind != BatchErrorKind.None)
            {
                return error;
            }
        }

        return default;
    }
}
