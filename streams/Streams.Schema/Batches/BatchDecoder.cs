namespace Streams.Schema;

/// <summary>
/// Turns untrusted bytes into a checked batch. Every length, count, index and reference is compared with the bytes that are there
/// before anything is allocated; the only allocation is the body, of the declared size and at most 4 MiB, and once more as much where columns are encoded. Never throws on bad input.
/// </summary>
public static class BatchDecoder
{
    /// <summary>
    /// Decodes the batch that <paramref name="source"/> is, exactly: trailing bytes are an error (see <see cref="BatchSequence"/>).
    /// </summary>
    /// <param name="target">Receives the batch; its content is undefined after false.</param>
    /// <param name="error">Why not. <see cref="BatchError.IsUnknown"/> means: from a newer build, hold it.</param>
    public static bool TryDecode(ReadOnlyMemory<byte> source, DecodedBatch target, out BatchError error) =>
        TryDecode(source.Span, target, out error);

    /// <inheritdoc cref="TryDecode(ReadOnlyMemory{byte}, DecodedBatch, out BatchError)"/>
    public static bool TryDecode(ReadOnlySpan<byte> source, DecodedBatch target, out BatchError error)
    {
        if (!TryReadEnvelope(source, target, out var header, out error))
        {
            return false;
        }

        if (!Catalogue.TryGet(header.ClassId, out var eventClass))
        {
            error = new BatchError(BatchErrorKind.UnknownClass, 0, header.ClassId);
            return false;
        }

        return TryDecode(source, header, eventClass, target, out error);
    }

    /// <summary>Decodes with a declaration that need not be in the catalogue: what checkers of recorded batches use.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> source, EventClass eventClass, DecodedBatch target, out BatchError error)
    {
        if (!TryReadEnvelope(source, target, out var header, out error))
        {
            return false;
        }

        if (header.ClassId != eventClass.Id)
        {
            error = new BatchError(BatchErrorKind.UnknownClass, 0, header.ClassId, eventClass.Id);
            return false;
        }

        return TryDecode(source, header, eventClass, target, out error);
    }

    /// <summary>
    /// Reads header and ledger only: what a batch accounts for when its rows cannot be decoded. The class must be known, the length exact.
    /// </summary>
    /// <param name="target">Receives header, class and ledger; its columns are not there.</param>
    /// <returns>False when not even that can be read; the content of <paramref name="target"/> is then undefined.</returns>
    public static bool TryReadLedger(ReadOnlySpan<byte> source, DecodedBatch target)
    {
        if (!TryReadEnvelope(source, target, out var header, out _) || !Catalogue.TryGet(header.ClassId, out var eventClass))
        {
            return false;
        }

        target.Header = header;
        target.Class = eventClass;
        return LedgerCodec.Read(source.Slice(BatchHeader.Size, header.LedgerLength), header, target.Ledger).Kind == BatchErrorKind.None;
    }

    private static bool TryReadEnvelope(ReadOnlySpan<byte> source, DecodedBatch target, out BatchHeader header, out BatchError error)
    {
        target.Present = 0;
        target.BodyLength = 0;
        target.IgnoredColumns = 0;
        if (!BatchHeader.TryRead(source, out header, out error))
        {
            return false;
        }

        if (source.Length == header.TotalLength)
        {
            return true;
        }

        error = new BatchError(
            source.Length < header.TotalLength ? BatchErrorKind.Truncated : BatchErrorKind.WrongLength, 0, source.Length, header.TotalLength);
        return false;
    }

    private static bool TryDecode(
        ReadOnlySpan<byte> source, in BatchHeader header, EventClass eventClass, DecodedBatch target, out BatchError error)
    {
        if (header.Priority != eventClass.Priority)
        {
            error = new BatchError(BatchErrorKind.BadPriority, 0, (int)header.Priority, (int)eventClass.Priority);
            return false;
        }

        target.Header = header;
        target.Class = eventClass;
        error = LedgerCodec.Read(source.Slice(BatchHeader.Size, header.LedgerLength), header, target.Ledger);
        if (error.Kind != BatchErrorKind.None)
        {
            return false;
        }

        var stored = source[(BatchHeader.Size + header.LedgerLength)..];
        var length = header.DecodedLength;
        if (header.IsEncoded)
        {
            error = EncodedBody.TryExpand(stored, header, eventClass, target, out length);
            if (error.Kind != BatchErrorKind.None)
            {
                return false;
            }
        }
        else if (!BatchDecompressor.TryDecompress(header.Compression, stored, target.Body(length)))
        {
            error = new BatchError(BatchErrorKind.Decompression, 0, header.StoredLength, length);
            return false;
        }

        target.BodyLength = length;
        error = ReadColumns(target.Body(length), header, eventClass, target);
        return error.Kind == BatchErrorKind.None;
    }

    private static BatchError ReadColumns(ReadOnlySpan<byte> body, in BatchHeader header, EventClass eventClass, DecodedBatch target)
    {
        var position = header.Columns * ColumnDescriptor.Size;
        for (var i = 0; i < header.Columns; i++)
        {
            var descriptor = ColumnDescriptor.Read(body[(i * ColumnDescriptor.Size)..]);
            if (descriptor.Encoding != 0)
            {
                return new BatchError(BatchErrorKind.ReservedNotZero, descriptor.Id);
            }

            if (descriptor.Length > (uint)(body.Length - position))
            {
                return new BatchError(BatchErrorKind.ColumnLength, descriptor.Id, descriptor.Length, body.Length - position);
            }

            var length = (int)descriptor.Length;
            if (!eventClass.TryGetOrdinal(descriptor.Id, out var ordinal))
            {
                target.IgnoredColumns++;
            }
            else
            {
                if (target.Has(ordinal))
                {
                    return new BatchError(BatchErrorKind.ColumnRepeated, descriptor.Id);
                }

                var type = eventClass.Columns[ordinal].Type;
                if (descriptor.Type != (byte)type)
                {
                    return new BatchError(BatchErrorKind.ColumnType, descriptor.Id, descriptor.Type, (byte)type);
                }

                var error = ColumnChecker.Check(body.Slice(position, length), type, descriptor.Id, header.Rows, position, out var slot);
                if (error.Kind != BatchErrorKind.None)
                {
                    return error;
                }

                target.SetSlot(ordinal, slot);
            }

            position += length;
        }

        return position == body.Length ? default : new BatchError(BatchErrorKind.DecodedLength, 0, body.Length, position);
    }
}
