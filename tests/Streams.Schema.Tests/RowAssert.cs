using System.Runtime.InteropServices;

namespace Streams.Schema.Tests;

/// <summary>Compares a decoded batch of <see cref="AllTypes"/> with the rows it was made from, value by value.</summary>
internal static class RowAssert
{
    internal static void Equal(IReadOnlyList<AllTypes.Row> rows, DecodedBatch batch)
    {
        Assert.Equal(rows.Count, batch.Rows);
        Assert.Equal(0, batch.MissingColumns);
        var texts = Strings(batch.Column(AllTypes.Ordinal(ColumnType.String)));
        var keys = Keys(batch.Column(AllTypes.Ordinal(ColumnType.Dictionary)));
        for (var i = 0; i < rows.Count; i++)
        {
            var row = rows[i];
            Assert.Equal(row.Time, At<long>(batch, ColumnType.DateTime64Micro, i));
            Assert.Equal(row.U8, At<byte>(batch, ColumnType.UInt8, i));
            Assert.Equal(row.U16, At<ushort>(batch, ColumnType.UInt16, i));
            Assert.Equal(row.U32, At<uint>(batch, ColumnType.UInt32, i));
            Assert.Equal(row.U64, At<ulong>(batch, ColumnType.UInt64, i));
            Assert.Equal((sbyte)row.U8, At<sbyte>(batch, ColumnType.Int8, i));
            Assert.Equal((short)row.U16, At<short>(batch, ColumnType.Int16, i));
            Assert.Equal((int)row.U32, At<int>(batch, ColumnType.Int32, i));
            Assert.Equal((long)row.U64, At<long>(batch, ColumnType.Int64, i));
            Assert.Equal(row.U32, At<uint>(batch, ColumnType.IPv4, i));
            Assert.Equal(row.U8 % 2, At<byte>(batch, ColumnType.Bool, i));
            Assert.Equal(BitConverter.DoubleToInt64Bits(row.F64), At<long>(batch, ColumnType.Float64, i));
            Assert.Equal(AllTypes.Address(row), batch.Column(AllTypes.Ordinal(ColumnType.IPv6)).Data.Slice(i * 16, 16).ToArray());
            Assert.Equal(row.Text, texts[i]);
            Assert.Equal(row.Key, keys[i]);
            Assert.Equal(row.Seq, MemoryMarshal.Cast<byte, ulong>(batch.Column(ClaimColumns.Seq).Data)[i]);
        }
    }

    internal static List<byte[]> Strings(DecodedColumn column)
    {
        var list = new List<byte[]>();
        foreach (var s in column.Strings())
        {
            list.Add(s.ToArray());
        }

        return list;
    }

    internal static List<byte[]> Keys(DecodedColumn column)
    {
        var keys = Strings(column);
        Assert.Equal(column.KeyCount, keys.Count);
        var rows = new List<byte[]>();
        for (var i = 0; i < column.Indices.Length; i += column.IndexWidth)
        {
            var index = column.IndexWidth switch
            {
                1 => column.Indices[i],
                2 => BitConverter.ToUInt16(column.Indices[i..]),
                _ => (int)BitConverter.ToUInt32(column.Indices[i..]),
            };
            rows.Add(keys[index]);
        }

        return rows;
    }

    private static T At<T>(DecodedBatch batch, ColumnType type, int row)
        where T : unmanaged =>
        MemoryMarshal.Cast<byte, T>(batch.Column(AllTypes.Ordinal(type)).Data)[row];
}
