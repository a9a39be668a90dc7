using System.Text;

namespace Streams.Schema.Tests;

/// <summary>A class with one column of every type, and rows whose values follow from a seed.</summary>
internal static class AllTypes
{
    internal static EventClass Class { get; } = new(
        60_000, "all_types", 1, PriorityClass.Event, "test", EventProducer.Agent, "one column of every type",
        [.. ColumnTypes.All.Select((t, i) => new Column((ushort)(16 + i), $"c_{t.ToString().ToLowerInvariant()}", t, ""))]);

    internal static int Ordinal(ColumnType type) => ClaimColumns.Count + (int)type - 1;

    internal static void AddRow(BatchBuilder builder, in Row row)
    {
        Assert.True(builder.TryBeginRow(row.Text.Length + row.Key.Length));
        builder.SetClaim(row.Time, row.Seq, ClaimColumns.UserSpaceCpu, row.U64, row.U32);
        builder.SetUInt8(Ordinal(ColumnType.UInt8), row.U8);
        builder.SetUInt16(Ordinal(ColumnType.UInt16), row.U16);
        builder.SetUInt32(Ordinal(ColumnType.UInt32), row.U32);
        builder.SetUInt64(Ordinal(ColumnType.UInt64), row.U64);
        builder.SetInt8(Ordinal(ColumnType.Int8), (sbyte)row.U8);
        builder.SetInt16(Ordinal(ColumnType.Int16), (short)row.U16);
        builder.SetInt32(Ordinal(ColumnType.Int32), (int)row.U32);
        builder.SetInt64(Ordinal(ColumnType.Int64), (long)row.U64);
        builder.SetFloat64(Ordinal(ColumnType.Float64), row.F64);
        builder.SetTime(Ordinal(ColumnType.DateTime64Micro), row.Time);
        builder.SetIPv4(Ordinal(ColumnType.IPv4), row.U32);
        builder.SetIPv6(Ordinal(ColumnType.IPv6), Address(row));
        Assert.True(builder.TrySetString(Ordinal(ColumnType.String), row.Text));
        Assert.True(builder.TrySetDictionary(Ordinal(ColumnType.Dictionary), row.Key));
        builder.SetBool(Ordinal(ColumnType.Bool), row.U8 % 2 == 1);
        builder.EndRow();
    }

    internal static byte[] Address(in Row row) => [.. BitConverter.GetBytes(row.U64), .. BitConverter.GetBytes(~row.U64)];

    /// <summary>Row i: no randomness of the runtime's, so that files made from it never change.</summary>
    internal static Row RowAt(int i)
    {
        var x = (ulong)(i + 1) * 0x9E3779B97F4A7C15;
        x ^= x >> 29;
        return new Row(
            1_700_000_000_000_000 + i, (ulong)i + 1, (byte)x, (ushort)(x >> 8), (uint)(x >> 16), x, i / 8.0,
            Encoding.UTF8.GetBytes(i % 5 == 0 ? "" : $"text\0{i}é"), Encoding.UTF8.GetBytes(i % 3 == 0 ? "" : $"key-{i % 7}"));
    }

    internal static byte[] Seal(BatchBuilder builder, BatchCompression compression, uint n = 0)
    {
        builder.TryAddLedger(ClaimColumns.UserSpaceCpu, 1, (ulong)builder.RowCount + 3, (uint)builder.RowCount,
            [new LossCount(LossCause.RingFull, 2), new LossCount(LossCause.Shed, 1)]);
        var bytes = new byte[builder.MaxSealedBytes];
        var written = builder.Seal(new BatchName(TestEpoch(1), 7, n), new BatchStamp(TestEpoch(2), 42), compression, bytes);
        Assert.True(written > 0);
        return bytes[..written];
    }

    internal static byte[] Batch(int rows, BatchCompression compression)
    {
        using var builder = new BatchBuilder(Class, new BuilderOptions { MaxRows = Math.Max(1, rows), MaxBytes = Limits.MaxDecodedBytes });
        for (var i = 0; i < rows; i++)
        {
            AddRow(builder, RowAt(i));
        }

        return Seal(builder, compression);
    }

    internal static Epoch TestEpoch(byte fill)
    {
        Span<byte> bytes = stackalloc byte[Epoch.Size];
        bytes.Fill(fill);
        return Epoch.Read(bytes);
    }

    internal readonly record struct Row(
        long Time, ulong Seq, byte U8, ushort U16, uint U32, ulong U64, double F64, byte[] Text, byte[] Key);
}
