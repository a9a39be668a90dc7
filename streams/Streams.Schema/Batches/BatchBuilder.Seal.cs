using System.Buffers;

namespace Streams.Schema;

public sealed partial class BatchBuilder
{
    private byte[] _ledger = new byte[LedgerEntry.Size * 4];
    private int _ledgerLength;
    private ulong _ledgerRows;

    /// <summary>Ledger entries added so far.</summary>
    public int LedgerCount { get; private set; }

    /// <summary>
    /// Adds what the batch accounts for on one CPU. False when the batch has the most entries or causes it may have. Throws when
    /// rows and losses are not exactly the range: such a ledger must never leave the producer.
    /// </summary>
    public bool TryAddLedger(ushort cpu, ulong first, ulong last, uint rows, ReadOnlySpan<LossCount> losses = default)
    {
        if (!new LedgerEntry(cpu, first, last, rows).Balances(losses))
        {
            throw new ArgumentException($"{Class.Name}: ledger of cpu {cpu}, {first}-{last}, {rows} rows does not balance");
        }

        var size = LedgerEntry.Size + (losses.Length * LedgerEntry.CauseSize);
        if (LedgerCount == Limits.MaxLedgerEntries || losses.Length > Limits.MaxLedgerCauses)
        {
            return false;
        }

        if (_ledgerLength + size > _ledger.Length)
        {
            Array.Resize(ref _ledger, Math.Max(_ledgerLength + size, _ledger.Length * 2));
        }

        LedgerCodec.Write(_ledger.AsSpan(_ledgerLength, size), cpu, first, last, rows, losses);
        _ledgerLength += size;
        _ledgerRows += rows;
        LedgerCount++;
        return true;
    }

    /// <summary>An upper bound of the bytes that <c>Seal</c> writes.</summary>
    public int MaxSealedBytes => BatchHeader.Size + _ledgerLength + BodyLength(Class.Version);

    /// <summary>
    /// Writes the batch. The builder is not changed, so a failed seal can be repeated; call <see cref="Reset"/> after success.
    /// A body that does not shrink is stored uncompressed.
    /// </summary>
    /// <returns>Bytes written; 0 when they are more than <paramref name="destination"/> or <see cref="Limits.MaxStoredBytes"/> hold.</returns>
    /// <exception cref="InvalidOperationException">A row is open, or the ledger does not count exactly the rows.</exception>
    public int Seal(BatchName name, in BatchStamp stamp, BatchCompression compression, Span<byte> destination)
    {
        if (_inRow || LedgerCount == 0 || _ledgerRows != (ulong)_rows || stamp.SensorEpoch.IsZero || name.Epoch.IsZero)
        {
            throw new InvalidOperationException(
                $"{Class.Name}: cannot seal {_rows} rows (open row: {_inRow}) with {LedgerCount} ledger entries for {_ledgerRows} rows");
        }

        var bodyStart = BatchHeader.Size + _ledgerLength;
        var room = Math.Min(destination.Length, Limits.MaxStoredBytes) - bodyStart;
        if (room < 0)
        {
            return 0;
        }

        var version = VersionIn(stamp);
        var decoded = BodyLength(version);
        var catalogue = Class.VersionIn(stamp.CatalogueVersion) > 0 ? stamp.CatalogueVersion : Catalogue.Version;
        var encoded = compression != BatchCompression.None && decoded > 0 && catalogue >= Catalogue.EncodingsSince;
        var stored = decoded > Limits.MaxDecodedBytes ? -1 : EncodeBody(ref decoded, version, encoded, ref compression, destination.Slice(bodyStart, room));
        if (stored < 0)
        {
            return 0;
        }

        new BatchHeader
        {
            IsEncoded = encoded,
            Compression = compression,
            Priority = Class.Priority,
            ClassId = Class.Id,
            SchemaVersion = version,
            Name = name,
            SensorEpoch = stamp.SensorEpoch,
            Rows = _rows,
            LedgerEntries = LedgerCount,
            Columns = _rows == 0 ? 0 : CountColumns(version),
            LedgerLength = _ledgerLength,
            DecodedLength = decoded,
            StoredLength = stored,
            ClockOffset = stamp.ClockOffset,
            CatalogueVersion = catalogue,
        }.Write(destination);
        _ledger.AsSpan(0, _ledgerLength).CopyTo(destination[BatchHeader.Size..]);
        return bodyStart + stored;
    }

    /// <inheritdoc cref="Seal(BatchName, in BatchStamp, BatchCompression, Span{byte})"/>
    public int Seal(BatchName name, in BatchStamp stamp, BatchCompression compression, IBufferWriter<byte> destination)
    {
        var span = destination.GetSpan(Math.Min(MaxSealedBytes, Limits.MaxStoredBytes));
        var written = Seal(name, stamp, compression, span);
        destination.Advance(written);
        return written;
    }

    /// <summary>The digest of the batch that <c>Seal</c> writes under this name and stamp.</summary>
    public void Digest(BatchName name, in BatchStamp stamp, ISha256 hash, Span<byte> digest) =>
        DigestAs(VersionIn(stamp), name, stamp.SensorEpoch.Prefix, hash, digest);

    /// <summary>The digest of the rows as a batch of a version of the class.</summary>
    /// <param name="sensorEpoch">First 8 bytes, as the column holds it.</param>
    public void DigestAs(ushort version, BatchName name, ulong sensorEpoch, ISha256 hash, Span<byte> digest)
    {
        BatchDigest.Begin(name, Class.Id, version, sensorEpoch, _rows, hash);
        for (var i = 0; i < _columns.Length && _rows > 0; i++)
        {
            var column = _columns[Class.OrdinalsById[i]];
            if (column.Since <= version)
            {
                BatchDigest.BeginColumn(column.Id, column.Type, hash);
                column.AppendTo(hash, _rows);
            }
        }

        hash.Finish(digest);
    }

    private ushort VersionIn(in BatchStamp stamp) => Class.VersionIn(stamp.CatalogueVersion) is var version and > 0 ? version : Class.Version;

    private int CountColumns(ushort version)
    {
        var count = 0;
        foreach (var column in _columns)
        {
            count += column.Since <= version ? 1 : 0;
        }

        return count;
    }

    private int BodyLength(ushort version)
    {
        if (_rows == 0)
        {
            return 0; // a ledger-only batch names no columns
        }

        var length = 0;
        foreach (var column in _columns)
        {
            length += column.Since <= version ? ColumnDescriptor.Size + column.EncodedLength(_rows) : 0;
        }

        return length;
    }

    /// <param name="length">Of the body as it is; becomes that of the body that was stored.</param>
    /// <returns>Stored bytes, -1 when they do not fit.</returns>
    private int EncodeBody(ref int length, ushort version, bool encoded, ref BatchCompression compression, Span<byte> destination)
    {
        if (compression == BatchCompression.None || length == 0)
        {
            compression = BatchCompression.None;
            if (length > destination.Length)
            {
                return -1;
            }

            var none = new BlockCuts([], 0);
            WriteBody(version, encoded: false, destination[..length], ref none);
            return length;
        }

        var body = _compressor.Scratch(length);
        var cuts = new BlockCuts(stackalloc int[Limits.MaxClassColumns], CountColumns(version) * ColumnDescriptor.Size);
        length = WriteBody(version, encoded, body, ref cuts);
        body = body[..length];
        // Not smaller than the body means not worth the reader's time.
        var stored = _compressor.Compress(compression, body, cuts.Found, destination[..Math.Min(destination.Length, length - 1)]);
        if (stored > 0)
        {
            return stored;
        }

        compression = BatchCompression.None;
        return body.TryCopyTo(destination) ? length : -1;
    }

    /// <returns>Bytes written: all of the body unless columns are encoded.</returns>
    private int WriteBody(ushort version, bool encoded, Span<byte> body, ref BlockCuts cuts)
    {
        if (body.IsEmpty)
        {
            return 0;
        }

        var position = CountColumns(version) * ColumnDescriptor.Size;
        var descriptor = 0;
        foreach (var column in _columns)
        {
            if (column.Since > version)
            {
                continue;
            }

            var length = column.EncodedLength(_rows);
            var place = body.Slice(position, length);
            var encoding = ColumnEncoding.Plain;
            if (encoded && column.Type != ColumnType.Dictionary)
            {
                encoding = _compressor.Encoder.Encode(column.Plain(_rows), column.Type, _rows, place, ref cuts, out length);
            }
            else
            {
                column.Encode(_rows, place);
                cuts.Next(length);
            }

            new ColumnDescriptor(column.Id, (byte)column.Type, (byte)encoding, (uint)length).Write(body[descriptor..]);
            descriptor += ColumnDescriptor.Size;
            position += length;
        }

        return position;
    }

    private void ClearLedger()
    {
        _ledgerLength = 0;
        _ledgerRows = 0;
        LedgerCount = 0;
    }
}
