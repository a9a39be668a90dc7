using System.Buffers.Binary;

namespace Streams.Schema;

/// <summary>
/// What stands in the place of a batch whose rows are gone: the same name, class, schema version and sensor epoch, no rows, no columns,
/// and the ledger of the batch with its rows moved to a cause. So the lane keeps its numbers without gap and the ledger its sum.
/// </summary>
public static class Tombstone
{
    /// <summary>Bytes of a tombstone without ledger.</summary>
    public const int BareSize = BatchHeader.Size;

    /// <summary>Writes the tombstone of a batch, of which only header and ledger are looked at.</summary>
    /// <param name="batch">Starts with header and ledger; the body need not be there.</param>
    /// <param name="cause">What the rows are counted under.</param>
    /// <returns>Bytes written; 0 when header or ledger cannot be read, or the result is more than <paramref name="destination"/> or a
    /// batch holds.</returns>
    public static int Write(ReadOnlySpan<byte> batch, LossCause cause, Span<byte> destination)
    {
        if (!BatchHeader.TryRead(batch, out var header, out _) || batch.Length < BatchHeader.Size + header.LedgerLength)
        {
            return 0;
        }

        var source = batch.Slice(BatchHeader.Size, header.LedgerLength);
        var room = destination[..Math.Min(destination.Length, Limits.MaxStoredBytes)];
        var written = BatchHeader.Size;
        for (var i = 0; i < header.LedgerEntries; i++)
        {
            if (!TryMoveRows(ref source, cause, room, ref written))
            {
                return 0;
            }
        }

        if (written > room.Length)
        {
            return 0;
        }

        (header with
        {
            Compression = BatchCompression.None,
            Rows = 0,
            Columns = 0,
            LedgerLength = written - BatchHeader.Size,
            DecodedLength = 0,
            StoredLength = 0,
        }).Write(destination);
        return written;
    }

    /// <summary>
    /// Writes the tombstone of a batch of which nothing but its name is known: without ledger, of the first class of the lane's priority
    /// (class 0, which a server holds back, when this build knows none).
    /// </summary>
    /// <returns><see cref="BareSize"/>.</returns>
    public static int WriteBare(BatchName name, PriorityClass priority, Span<byte> destination)
    {
        var (classId, version) = ((ushort)0, (ushort)0);
        for (var i = Catalogue.Classes.Count - 1; i >= 0; i--)
        {
            if (Catalogue.Classes[i].Priority == priority)
            {
                (classId, version) = (Catalogue.Classes[i].Id, Catalogue.Classes[i].Version);
            }
        }

        new BatchHeader
        {
            Priority = priority,
            ClassId = classId,
            SchemaVersion = version,
            Name = name,
            SensorEpoch = name.Epoch,
            CatalogueVersion = Catalogue.Version,
        }.Write(destination);
        return BareSize;
    }

    /// <summary>Copies one entry and takes it off <paramref name="source"/>; its rows go to <paramref name="cause"/>.</summary>
    private static bool TryMoveRows(ref ReadOnlySpan<byte> source, LossCause cause, Span<byte> destination, ref int written)
    {
        if (source.Length < LedgerEntry.Size)
        {
            return false;
        }

        int causes = BinaryPrimitives.ReadUInt16LittleEndian(source[2..]);
        var length = LedgerEntry.Size + (causes * LedgerEntry.CauseSize);
        if (source.Length < length || destination.Length - written < length + LedgerEntry.CauseSize)
        {
            return false;
        }

        var entry = destination[written..];
        source[..length].CopyTo(entry);
        source = source[length..];
        var rows = BinaryPrimitives.ReadUInt32LittleEndian(entry[20..]);
        BinaryPrimitives.WriteUInt32LittleEndian(entry[20..], 0);
        written += length;
        if (rows == 0)
        {
            return true;
        }

        for (var at = LedgerEntry.Size; at < length; at += LedgerEntry.CauseSize)
        {
            if (BinaryPrimitives.ReadUInt16LittleEndian(entry[at..]) == (ushort)cause)
            {
                var count = entry[(at + 4)..];
                BinaryPrimitives.WriteUInt64LittleEndian(count, BinaryPrimitives.ReadUInt64LittleEndian(count) + rows);
                return true;
            }
        }

        if (causes == Limits.MaxLedgerCauses)
        {
            return false;
        }

        BinaryPrimitives.WriteUInt16LittleEndian(entry[2..], (ushort)(causes + 1));
        BinaryPrimitives.WriteUInt16LittleEndian(entry[length..], (ushort)cause);
        BinaryPrimitives.WriteUInt16LittleEndian(entry[(length + 2)..], 0);
        BinaryPrimitives.WriteUInt64LittleEndian(entry[(length + 4)..], rows);
        written += LedgerEntry.CauseSize;
        return true;
    }
}
