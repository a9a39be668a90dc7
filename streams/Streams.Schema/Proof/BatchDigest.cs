using System.Buffers;
using System.Buffers.Binary;

namespace Streams.Schema;

/// <summary>
/// d_n, the digest of what the agent says in one batch, as it can be computed again from the stored rows (PROTOCOL.md, section Proofs).
/// All integers little-endian: domain, epoch u64 (its first 8 bytes as a number, as the column holds it), lane u32, n u32, class u16,
/// schema version u16, sensor epoch u64, rows u32; then, when there are rows, every column of that schema version in the order of
/// its id: id u16, type u8 and the value of each row. Strings and dictionary values are a varuint length and the bytes, so that neither
/// compression nor the order of dictionary keys matters. A column that the batch does not carry has its default, as in the table.
/// </summary>
public static class BatchDigest
{
    public const int Size = ISha256.Size;

    private static readonly byte[] Zeros = new byte[1024];

    private static ReadOnlySpan<byte> Domain => "streams/1 batch digest\0"u8;

    /// <summary>The digest of a batch without rows: of a tombstone, or of one that only accounts for losses.</summary>
    public static void OfHeader(in BatchHeader header, ISha256 hash, Span<byte> digest)
    {
        Begin(header.Name, header.ClassId, header.SchemaVersion, header.SensorEpoch.Prefix, 0, hash);
        hash.Finish(digest);
    }

    /// <summary>The digest of a decoded batch. False when this build does not know all columns of its schema version.</summary>
    public static bool TryOf(DecodedBatch batch, ISha256 hash, Span<byte> digest)
    {
        var header = batch.Header;
        if (header.SchemaVersion > batch.Class.Version)
        {
            return false;
        }

        Begin(header.Name, header.ClassId, header.SchemaVersion, header.SensorEpoch.Prefix, header.Rows, hash);
        foreach (var ordinal in batch.Class.OrdinalsById)
        {
            var column = batch.Class.Columns[ordinal];
            if (header.Rows == 0 || column.Since > header.SchemaVersion)
            {
                continue;
            }

            BeginColumn(column.Id, column.Type, hash);
            if (!batch.Has(ordinal))
            {
                AppendDefaults(column.Type, header.Rows, hash);
            }
            else if (column.Type == ColumnType.Dictionary)
            {
                AppendDictionary(batch.Column(ordinal), hash);
            }
            else
            {
                hash.Append(batch.Column(ordinal).Data);
            }
        }

        hash.Finish(digest);
        return true;
    }

    internal static void Begin(BatchName name, ushort classId, ushort schemaVersion, ulong sensorEpoch, int rows, ISha256 hash)
    {
        Span<byte> start = stackalloc byte[Domain.Length + 32];
        Domain.CopyTo(start);
        var fields = start[Domain.Length..];
        BinaryPrimitives.WriteUInt64LittleEndian(fields, name.Epoch.Prefix);
        BinaryPrimitives.WriteUInt32LittleEndian(fields[8..], name.Lane);
        BinaryPrimitives.WriteUInt32LittleEndian(fields[12..], name.N);
        BinaryPrimitives.WriteUInt16LittleEndian(fields[16..], classId);
        BinaryPrimitives.WriteUInt16LittleEndian(fields[18..], schemaVersion);
        BinaryPrimitives.WriteUInt64LittleEndian(fields[20..], sensorEpoch);
        BinaryPrimitives.WriteUInt32LittleEndian(fields[28..], (uint)rows);
        hash.Append(start);
    }

    internal static void BeginColumn(ushort id, ColumnType type, ISha256 hash)
    {
        Span<byte> start = stackalloc byte[3];
        BinaryPrimitives.WriteUInt16LittleEndian(start, id);
        start[2] = (byte)type;
        hash.Append(start);
    }

    private static void AppendDefaults(ColumnType type, int rows, ISha256 hash)
    {
        // An empty string is its length, one zero byte.
        for (var left = rows * Math.Max(1, ColumnTypes.Width(type)); left > 0; left -= Zeros.Length)
        {
            hash.Append(Zeros.AsSpan(0, Math.Min(left, Zeros.Length)));
        }
    }

    private static void AppendDictionary(in DecodedColumn column, ISha256 hash)
    {
        // Ends of the keys in their encoded form, which is the form of a value.
        var ends = ArrayPool<int>.Shared.Rent(column.KeyCount);
        var (position, key) = (0, 0);
        while (key < column.KeyCount && Varuint.TryRead(column.Keys, ref position, out var length))
        {
            position += length;
            ends[key++] = position;
        }

        var values = new ValueBuffer(hash, stackalloc byte[ValueBuffer.Size]);
        for (var at = 0; at < column.Indices.Length; at += column.IndexWidth)
        {
            var index = column.IndexWidth switch
            {
                1 => column.Indices[at],
                2 => BinaryPrimitives.ReadUInt16LittleEndian(column.Indices[at..]),
                _ => (int)BinaryPrimitives.ReadUInt32LittleEndian(column.Indices[at..]),
            };
            var start = index == 0 ? 0 : ends[index - 1];
            values.Append(column.Keys[start..ends[index]]);
        }

        values.Flush();
        ArrayPool<int>.Shared.Return(ends);
    }

    /// <summary>Gathers short values: a call of the hash for each would cost more than hashing it.</summary>
    internal ref struct ValueBuffer(ISha256 hash, Span<byte> buffer)
    {
        internal const int Size = 2048;

        private readonly Span<byte> _buffer = buffer;
        private int _filled;

        internal void Append(ReadOnlySpan<byte> value)
        {
            if (value.Length > _buffer.Length - _filled)
            {
                Flush();
                if (value.Length > _buffer.Length)
                {
                    hash.Append(value);
                    return;
                }
            }

            value.CopyTo(_buffer[_filled..]);
            _filled += value.Length;
        }

        internal void Flush()
        {
            hash.Append(_buffer[.._filled]);
            _filled = 0;
        }
    }
}
