using System.Buffers.Binary;
using Streams.Schema;

namespace Streams.Storage;

/// <summary>
/// Reads rows of a class in RowBinary: batch u32, row u32, sensor epoch u64, server flags u32, then the class's columns, dictionaries as
/// strings. Fixed values have the bytes that the agent sent.
/// </summary>
internal sealed class StoredRowReader(EventClass eventClass)
{
    internal const int HeadBytes = 20;

    /// <summary>What is selected, in this order.</summary>
    internal string Columns { get; } = "batch, row, sensor_epoch, server_flags, " + string.Join(
        ", ", eventClass.Columns.Select(c => c.Type == ColumnType.Dictionary ? $"CAST({c.Name}, 'String')" : c.Name));

    /// <summary>Length of the row that the bytes begin with; 0 when it is not all there.</summary>
    /// <param name="stringBytes">Sum of the lengths of its strings.</param>
    internal int Measure(ReadOnlySpan<byte> source, out int stringBytes)
    {
        var position = HeadBytes;
        stringBytes = 0;
        foreach (var column in eventClass.Columns)
        {
            var width = ColumnTypes.Width(column.Type);
            if (width == 0)
            {
                if (!TryReadLength(source, ref position, out width))
                {
                    return 0;
                }

                stringBytes += width;
            }

            position += width;
            if (position > source.Length)
            {
                return 0;
            }
        }

        return position;
    }

    /// <summary>Adds the row's columns to an open row; false when one is longer than an agent can send.</summary>
    internal bool TryFill(ReadOnlySpan<byte> row, BatchBuilder builder)
    {
        var position = HeadBytes;
        for (var ordinal = 0; ordinal < eventClass.Columns.Count; ordinal++)
        {
            var type = eventClass.Columns[ordinal].Type;
            var width = ColumnTypes.Width(type);
            if (width == 0)
            {
                TryReadLength(row, ref position, out width);
            }

            var value = row.Slice(position, width);
            position += width;
            if (!TrySet(builder, ordinal, type, value))
            {
                return false;
            }
        }

        return true;
    }

    private static bool TrySet(BatchBuilder builder, int ordinal, ColumnType type, ReadOnlySpan<byte> value)
    {
        switch (type)
        {
            case ColumnType.UInt8: builder.SetUInt8(ordinal, value[0]); break;
            case ColumnType.Int8: builder.SetInt8(ordinal, (sbyte)value[0]); break;
            case ColumnType.Bool: builder.SetBool(ordinal, value[0] != 0); break;
            case ColumnType.UInt16: builder.SetUInt16(ordinal, BinaryPrimitives.ReadUInt16LittleEndian(value)); break;
            case ColumnType.Int16: builder.SetInt16(ordinal, BinaryPrimitives.ReadInt16LittleEndian(value)); break;
            case ColumnType.UInt32: builder.SetUInt32(ordinal, BinaryPrimitives.ReadUInt32LittleEndian(value)); break;
            case ColumnType.Int32: builder.SetInt32(ordinal, BinaryPrimitives.ReadInt32LittleEndian(value)); break;
            case ColumnType.IPv4: builder.SetIPv4(ordinal, BinaryPrimitives.ReadUInt32LittleEndian(value)); break;
            case ColumnType.UInt64: builder.SetUInt64(ordinal, BinaryPrimitives.ReadUInt64LittleEndian(value)); break;
            case ColumnType.Int64: builder.SetInt64(ordinal, BinaryPrimitives.ReadInt64LittleEndian(value)); break;
            case ColumnType.DateTime64Micro: builder.SetTime(ordinal, BinaryPrimitives.ReadInt64LittleEndian(value)); break;
            case ColumnType.Float64: builder.SetFloat64(ordinal, BinaryPrimitives.ReadDoubleLittleEndian(value)); break;
            case ColumnType.IPv6: builder.SetIPv6(ordinal, value); break;
            case ColumnType.Dictionary: return builder.TrySetDictionary(ordinal, value);
            default: return builder.TrySetString(ordinal, value);
        }

        return true;
    }

    private static bool TryReadLength(ReadOnlySpan<byte> source, ref int position, out int length)
    {
        length = 0;
        for (var shift = 0; shift < 28 && position < source.Length; shift += 7)
        {
            int b = source[position++];
            length |= (b & 0x7F) << shift;
            if (b < 0x80)
            {
                return true;
            }
        }

        return false;
    }
}
