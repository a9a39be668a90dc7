using System.Buffers.Binary;

namespace Streams.Schema;

/// <summary>
/// A ledger entry in bytes, little-endian: cpu u16, causes u16, first u64, last u64, rows u32; then per cause: cause u16,
/// reserved u16, count u64.
/// </summary>
internal static class LedgerCodec
{
    internal static void Write(Span<byte> destination, ushort cpu, ulong first, ulong last, uint rows, ReadOnlySpan<LossCount> losses)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(destination, cpu);
        BinaryPrimitives.WriteUInt16LittleEndian(destination[2..], (ushort)losses.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(destination[4..], first);
        BinaryPrimitives.WriteUInt64LittleEndian(destination[12..], last);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[20..], rows);
        var position = LedgerEntry.Size;
        foreach (var loss in losses)
        {
            var cause = destination.Slice(position, LedgerEntry.CauseSize);
            BinaryPrimitives.WriteUInt16LittleEndian(cause, (ushort)loss.Cause);
            BinaryPrimitives.WriteUInt16LittleEndian(cause[2..], 0);
            BinaryPrimitives.WriteUInt64LittleEndian(cause[4..], loss.Count);
            position += LedgerEntry.CauseSize;
        }
    }

    /// <summary>Reads the whole ledger of a batch into the arrays of <paramref name="target"/> and checks every entry.</summary>
    internal static BatchError Read(ReadOnlySpan<byte> source, in BatchHeader header, DecodedLedger target)
    {
        target.Clear();
        ulong rows = 0;
        var position = 0;
        for (var i = 0; i < header.LedgerEntries; i++)
        {
            if (source.Length - position < LedgerEntry.Size)
            {
                return new BatchError(BatchErrorKind.LedgerLength, 0, source.Length, position + LedgerEntry.Size);
            }

            var entry = source[position..];
            int causes = BinaryPrimitives.ReadUInt16LittleEndian(entry[2..]);
            position += LedgerEntry.Size;
            if (causes > Limits.MaxLedgerCauses || source.Length - position < causes * LedgerEntry.CauseSize)
            {
                return new BatchError(BatchErrorKind.LedgerCauses, 0, causes, Limits.MaxLedgerCauses);
            }

            var start = target.LossCount;
            for (var c = 0; c < causes; c++)
            {
                var cause = source.Slice(position, LedgerEntry.CauseSize);
                if (cause[2] != 0 || cause[3] != 0)
                {
                    return new BatchError(BatchErrorKind.ReservedNotZero);
                }

                target.AddLoss(new LossCount(
                    (LossCause)BinaryPrimitives.ReadUInt16LittleEndian(cause), BinaryPrimitives.ReadUInt64LittleEndian(cause[4..])));
                position += LedgerEntry.CauseSize;
            }

            var read = new LedgerEntry(
                BinaryPrimitives.ReadUInt16LittleEndian(entry),
                BinaryPrimitives.ReadUInt64LittleEndian(entry[4..]),
                BinaryPrimitives.ReadUInt64LittleEndian(entry[12..]),
                BinaryPrimitives.ReadUInt32LittleEndian(entry[20..]),
                start,
                causes);
            if (!read.Balances(target.Losses(read)))
            {
                return new BatchError(BatchErrorKind.LedgerUnbalanced, 0, i, header.LedgerEntries);
            }

            rows += read.Rows;
            target.AddEntry(read);
        }

        return position != source.Length ? new BatchError(BatchErrorKind.LedgerLength, 0, source.Length, position)
            : rows != (ulong)header.Rows ? new BatchError(BatchErrorKind.LedgerRows, 0, (long)rows, header.Rows)
            : default;
    }
}
