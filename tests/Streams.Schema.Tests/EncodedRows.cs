using System.Text;
using System.Text.Json;

namespace Streams.Schema.Tests;

/// <summary>Rows for which every encoding is the best of some column, and a look at which were chosen.</summary>
internal static class EncodedRows
{
    internal const int Count = 60;

    /// <summary>The claim columns, then one of each type in the order of its number.</summary>
    internal static IReadOnlyList<ColumnEncoding> Encodings { get; } =
    [
        ColumnEncoding.DeltaPlanes, ColumnEncoding.DeltaPlanes, ColumnEncoding.Planes, ColumnEncoding.Table, ColumnEncoding.Planes,
        ColumnEncoding.Plain, ColumnEncoding.Planes, ColumnEncoding.Planes, ColumnEncoding.Table, ColumnEncoding.Plain, ColumnEncoding.Planes, ColumnEncoding.Planes, ColumnEncoding.Table,
        ColumnEncoding.DeltaPlanes, ColumnEncoding.DeltaPlanes, ColumnEncoding.Planes, ColumnEncoding.Table, ColumnEncoding.Words, ColumnEncoding.Plain, ColumnEncoding.Plain,
    ];

    /// <summary>Times rise, numbers of 32 bits wander, numbers of 64 bits are three, and texts are lists of a few words.</summary>
    internal static AllTypes.Row At(int i)
    {
        var x = (ulong)(i + 1) * 0x9E3779B97F4A7C15;
        x ^= x >> 29;
        var text = i % 7 == 0 ? "" : string.Join('\0', Enumerable.Range(0, 1 + (i % 4)).Select(w => (i + w) % 9 == 8 ? "" : $"--option-{(i * 3 + w) % 11}=\u00e9"));
        return new AllTypes.Row(
            1_700_000_000_000_000 + (i * 37), 1000 + (ulong)i, (byte)x, (ushort)(x >> 8), (uint)(x >> 16) & 0xFFFF, 0x0123_4567_89AB_CDEF * (ulong)((i % 3) + 1), 1_000_000 + i,
            Encoding.UTF8.GetBytes(text), Encoding.UTF8.GetBytes($"key-{i % 7}"));
    }

    internal static byte[] Batch(BatchCompression compression, uint n, ushort catalogue = Catalogue.Version)
    {
        using var builder = new BatchBuilder(AllTypes.Class);
        for (var i = 0; i < Count; i++)
        {
            AllTypes.AddRow(builder, At(i));
        }

        builder.TryAddLedger(ClaimColumns.UserSpaceCpu, 1, Count, Count);
        var bytes = new byte[builder.MaxSealedBytes];
        return bytes[..builder.Seal(new BatchName(AllTypes.TestEpoch(1), 7, n), new BatchStamp(AllTypes.TestEpoch(2), 42, catalogue), compression, bytes)];
    }

    /// <summary>The same batch with its body as it was compressed, so that a changed byte is a changed byte of a column.</summary>
    internal static byte[] Unpacked(ReadOnlySpan<byte> batch)
    {
        Assert.True(BatchHeader.TryRead(batch, out var header, out _));
        var body = Body(batch);
        var bytes = new byte[BatchHeader.Size + header.LedgerLength + body.Length];
        batch[..(BatchHeader.Size + header.LedgerLength)].CopyTo(bytes);
        (header with { Compression = BatchCompression.None, StoredLength = body.Length }).Write(bytes);
        body.CopyTo(bytes.AsSpan(BatchHeader.Size + header.LedgerLength));
        return bytes;
    }

    internal static IReadOnlyList<ColumnEncoding> EncodingsOf(ReadOnlySpan<byte> batch)
    {
        Assert.True(BatchHeader.TryRead(batch, out var header, out _));
        var body = Body(batch);
        return [.. Enumerable.Range(0, header.Columns).Select(i => (ColumnEncoding)ColumnDescriptor.Read(body.AsSpan(i * ColumnDescriptor.Size)).Encoding)];
    }

    internal static string Description() => JsonSerializer.Serialize(
        new
        {
            about = "batch-v2.bin holds two batches of class 60000 with the same rows and encoded columns: LZ4, zstd (n = 0, 1 of lane 7).",
            columns = "as in batch-v1.json",
            header = "epoch 01 x 16, sensor_epoch 02 x 16, clock_offset 42, catalogue 4",
            ledger = "cpu 65535, first 1, last 60, no losses",
            encodings = Encodings.Select(encoding => (int)encoding),
            rows = Enumerable.Range(0, Count).Select(At).Select(row => new
            {
                time = row.Time,
                seq = row.Seq,
                u8 = row.U8,
                u16 = row.U16,
                u32 = row.U32,
                u64 = row.U64,
                f64 = row.F64,
                text_hex = Convert.ToHexString(row.Text),
                key_hex = Convert.ToHexString(row.Key),
            }),
        },
        new JsonSerializerOptions { WriteIndented = true }) + "\n";

    private static byte[] Body(ReadOnlySpan<byte> batch)
    {
        Assert.True(BatchHeader.TryRead(batch, out var header, out _));
        var body = new byte[header.DecodedLength];
        Assert.True(BatchDecompressor.TryDecompress(header.Compression, batch[(BatchHeader.Size + header.LedgerLength)..], body));
        return body;
    }
}
