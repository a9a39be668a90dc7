using System.Buffers.Binary;

namespace Streams.Schema;

/// <summary>
/// The fixed 88 bytes before ledger and body, little-endian:
/// 0 magic, 1 format version, 2 compression, 3 priority class, 4 class id u16, 6 schema version u16, 8 epoch, 24 lane u32, 28 n u32,
/// 32 sensor epoch, 48 rows u32, 52 ledger entries u16, 54 columns u16, 56 ledger bytes u32, 60 decoded bytes u32, 64 stored bytes u32,
/// 68 reserved u32, 72 clock offset i64, 80 catalogue version u16, 82 reserved 6 bytes.
/// </summary>
public readonly record struct BatchHeader
{
    public const int Size = 88;
    public const byte Magic = 0xB1;
    public const byte FormatVersion = 1;

    /// <summary>The same with encoded columns, which a reader of the first format must hold and not misread.</summary>
    public const byte EncodedFormatVersion = 2;

    /// <summary>Whether the columns' descriptors name encodings: format 2.</summary>
    public bool IsEncoded { get; init; }

    public BatchCompression Compression { get; init; }

    public PriorityClass Priority { get; init; }

    public ushort ClassId { get; init; }

    public ushort SchemaVersion { get; init; }

    public BatchName Name { get; init; }

    public Epoch SensorEpoch { get; init; }

    public int Rows { get; init; }

    public int LedgerEntries { get; init; }

    public int Columns { get; init; }

    /// <summary>Bytes of the ledger.</summary>
    public int LedgerLength { get; init; }

    /// <summary>Bytes of the decoded body.</summary>
    public int DecodedLength { get; init; }

    /// <summary>Bytes of the stored (compressed) body.</summary>
    public int StoredLength { get; init; }

    /// <summary>Microseconds, wall clock minus boot clock.</summary>
    public long ClockOffset { get; init; }

    public ushort CatalogueVersion { get; init; }

    /// <summary>Bytes of the whole batch.</summary>
    public int TotalLength => Size + LedgerLength + StoredLength;

    /// <summary>
    /// Reads and bounds-checks a header; the ledger and the body need not be there. On success all lengths are within
    /// <see cref="Limits"/>, so that <see cref="TotalLength"/> cannot overflow.
    /// </summary>
    public static bool TryRead(ReadOnlySpan<byte> source, out BatchHeader header, out BatchError error)
    {
        header = default;
        error = Check(source);
        if (error.Kind != BatchErrorKind.None)
        {
            return false;
        }

        header = new BatchHeader
        {
            IsEncoded = source[1] == EncodedFormatVersion,
            Compression = (BatchCompression)source[2],
            Priority = (PriorityClass)source[3],
            ClassId = BinaryPrimitives.ReadUInt16LittleEndian(source[4..]),
            SchemaVersion = BinaryPrimitives.ReadUInt16LittleEndian(source[6..]),
            Name = new BatchName(
                Epoch.Read(source[8..]),
                BinaryPrimitives.ReadUInt32LittleEndian(source[24..]),
                BinaryPrimitives.ReadUInt32LittleEndian(source[28..])),
            SensorEpoch = Epoch.Read(source[32..]),
            Rows = (int)BinaryPrimitives.ReadUInt32LittleEndian(source[48..]),
            LedgerEntries = BinaryPrimitives.ReadUInt16LittleEndian(source[52..]),
            Columns = BinaryPrimitives.ReadUInt16LittleEndian(source[54..]),
            LedgerLength = (int)BinaryPrimitives.ReadUInt32LittleEndian(source[56..]),
            DecodedLength = (int)BinaryPrimitives.ReadUInt32LittleEndian(source[60..]),
            StoredLength = (int)BinaryPrimitives.ReadUInt32LittleEndian(source[64..]),
            ClockOffset = BinaryPrimitives.ReadInt64LittleEndian(source[72..]),
            CatalogueVersion = BinaryPrimitives.ReadUInt16LittleEndian(source[80..]),
        };
        return true;
    }

    /// <summary>Writes the 88 bytes.</summary>
    public void Write(Span<byte> destination)
    {
        destination[..Size].Clear();
        destination[0] = Magic;
        destination[1] = IsEncoded ? EncodedFormatVersion : FormatVersion;
        destination[2] = (byte)Compression;
        destination[3] = (byte)Priority;
        BinaryPrimitives.WriteUInt16LittleEndian(destination[4..], ClassId);
        BinaryPrimitives.WriteUInt16LittleEndian(destination[6..], SchemaVersion);
        Name.Epoch.Write(destination[8..]);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[24..], Name.Lane);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[28..], Name.N);
        SensorEpoch.Write(destination[32..]);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[48..], (uint)Rows);
        BinaryPrimitives.WriteUInt16LittleEndian(destination[52..], (ushort)LedgerEntries);
        BinaryPrimitives.WriteUInt16LittleEndian(destination[54..], (ushort)Columns);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[56..], (uint)LedgerLength);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[60..], (uint)DecodedLength);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[64..], (uint)StoredLength);
        BinaryPrimitives.WriteInt64LittleEndian(destination[72..], ClockOffset);
        BinaryPrimitives.WriteUInt16LittleEndian(destination[80..], CatalogueVersion);
    }

    private static BatchError Check(ReadOnlySpan<byte> source)
    {
        if (source.Length < Size)
        {
            return new BatchError(BatchErrorKind.Truncated, 0, source.Length, Size);
        }

        if (source[0] != Magic)
        {
            return new BatchError(BatchErrorKind.BadMagic, 0, source[0], Magic);
        }

        if (source[1] is not (FormatVersion or EncodedFormatVersion))
        {
            return new BatchError(BatchErrorKind.UnknownVersion, 0, source[1], EncodedFormatVersion);
        }

        if (source[2] > (byte)BatchCompression.Zstd)
        {
            return new BatchError(BatchErrorKind.BadCompression, 0, source[2], (byte)BatchCompression.Zstd);
        }

        if (source[3] > (byte)PriorityClass.Bulk)
        {
            return new BatchError(BatchErrorKind.BadPriority, 0, source[3], (byte)PriorityClass.Bulk);
        }

        if (BinaryPrimitives.ReadUInt32LittleEndian(source[68..]) != 0 || source[82..88].ContainsAnyExcept((byte)0))
        {
            return new BatchError(BatchErrorKind.ReservedNotZero);
        }

        if (Epoch.Read(source[8..]).IsZero || Epoch.Read(source[32..]).IsZero)
        {
            return new BatchError(BatchErrorKind.ZeroEpoch);
        }

        return CheckCounts(source);
    }

    private static BatchError CheckCounts(ReadOnlySpan<byte> source)
    {
        long rows = BinaryPrimitives.ReadUInt32LittleEndian(source[48..]);
        long entries = BinaryPrimitives.ReadUInt16LittleEndian(source[52..]);
        long columns = BinaryPrimitives.ReadUInt16LittleEndian(source[54..]);
        long ledger = BinaryPrimitives.ReadUInt32LittleEndian(source[56..]);
        long decoded = BinaryPrimitives.ReadUInt32LittleEndian(source[60..]);
        long stored = BinaryPrimitives.ReadUInt32LittleEndian(source[64..]);
        if (rows > Limits.MaxRows)
        {
            return new BatchError(BatchErrorKind.TooManyRows, 0, rows, Limits.MaxRows);
        }

        if (columns > Limits.MaxColumns)
        {
            return new BatchError(BatchErrorKind.TooManyColumns, 0, columns, Limits.MaxColumns);
        }

        // A batch without rows may have lost its ledger too (a spool that was deleted); its number is still accounted for.
        if (entries == 0 && rows != 0)
        {
            return new BatchError(BatchErrorKind.NoLedgerEntry, 0, 0, 1);
        }

        if (entries > Limits.MaxLedgerEntries)
        {
            return new BatchError(BatchErrorKind.TooManyLedgerEntries, 0, entries, Limits.MaxLedgerEntries);
        }

        if (ledger < entries * LedgerEntry.Size || ledger > Limits.MaxStoredBytes - Size)
        {
            return new BatchError(BatchErrorKind.LedgerLength, 0, ledger, entries * LedgerEntry.Size);
        }

        if (decoded > Limits.MaxDecodedBytes || decoded < columns * ColumnDescriptor.Size)
        {
            return new BatchError(BatchErrorKind.DecodedLength, 0, decoded, Limits.MaxDecodedBytes);
        }

        var total = Size + ledger + stored;
        if (total > Limits.MaxStoredBytes || (source[2] == (byte)BatchCompression.None && stored != decoded))
        {
            return new BatchError(BatchErrorKind.StoredLength, 0, stored, Limits.MaxStoredBytes);
        }

        return default;
    }
}
