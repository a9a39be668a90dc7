using System.Text;

namespace Streams.Schema.Tests.Proof;

/// <summary>The canonical encoding written down once more, value by value, from PROTOCOL.md.</summary>
internal static class Canonical
{
    internal static byte[] Encode(BatchName name, Epoch sensorEpoch, IReadOnlyList<AllTypes.Row> rows)
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream, Encoding.UTF8);
        writer.Write("streams/1 batch digest\0"u8);
        writer.Write(name.Epoch.Prefix);
        writer.Write(name.Lane);
        writer.Write(name.N);
        writer.Write(AllTypes.Class.Id);
        writer.Write(AllTypes.Class.Version);
        writer.Write(sensorEpoch.Prefix);
        writer.Write(rows.Count);
        foreach (var column in AllTypes.Class.Columns.OrderBy(c => c.Id))
        {
            writer.Write(column.Id);
            writer.Write((byte)column.Type);
            foreach (var row in rows)
            {
                Value(writer, column, row);
            }
        }

        return stream.ToArray();
    }

    private static void Value(BinaryWriter writer, Column column, AllTypes.Row row)
    {
        switch (column.Name)
        {
            case "time": writer.Write(row.Time); return;
            case "seq": writer.Write(row.Seq); return;
            case "cpu": writer.Write(ClaimColumns.UserSpaceCpu); return;
            case "policy_generation": writer.Write(row.U64); return;
            case "flags": writer.Write(row.U32); return;
        }

        switch (column.Type)
        {
            case ColumnType.UInt8: writer.Write(row.U8); break;
            case ColumnType.Int8: writer.Write((sbyte)row.U8); break;
            case ColumnType.UInt16: writer.Write(row.U16); break;
            case ColumnType.Int16: writer.Write((short)row.U16); break;
            case ColumnType.UInt32 or ColumnType.IPv4: writer.Write(row.U32); break;
            case ColumnType.Int32: writer.Write((int)row.U32); break;
            case ColumnType.UInt64: writer.Write(row.U64); break;
            case ColumnType.Int64: writer.Write((long)row.U64); break;
            case ColumnType.Float64: writer.Write(row.F64); break;
            case ColumnType.DateTime64Micro: writer.Write(row.Time); break;
            case ColumnType.IPv6: writer.Write(AllTypes.Address(row)); break;
            case ColumnType.Bool: writer.Write((byte)(row.U8 % 2)); break;
            default:
                var text = column.Type == ColumnType.String ? row.Text : row.Key;
                writer.Write7BitEncodedInt(text.Length);
                writer.Write(text);
                break;
        }
    }
}
