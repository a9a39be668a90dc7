using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Net.Sockets;
using System.Text.Json;

namespace Streams.Schema.Json;

/// <summary>The rows of one JSON batch into a builder: an object a row, a field a column, what is not there has its default.</summary>
internal sealed class JsonRows(BatchBuilder builder, ushort schema)
{
    private readonly EventClass _class = builder.Class;

    public int Count { get; private set; }

    /// <summary>First and last sequence number when every row is of one CPU and numbered without a gap; otherwise null.</summary>
    public (ushort Cpu, ulong First, ulong Last)? Run { get; private set; }

    /// <summary>CPU of a row that does not say one.</summary>
    private const ushort DefaultCpu = ClaimColumns.UserSpaceCpu;

    public bool TryRead(ReadOnlySpan<byte> document, int at, out JsonBatchError error)
    {
        error = default;
        var reader = new Utf8JsonReader(document[at..], JsonBatchReader.Options with { AllowMultipleValues = true });
        reader.Read();
        var whole = true;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.StartObject)
            {
                return Fail("", "a row is an object", out error);
            }

            // Escapes only shorten: the text of the object bounds its strings.
            var row = reader;
            row.TrySkip();
            if (!builder.TryBeginRow((int)(row.TokenStartIndex - reader.TokenStartIndex)))
            {
                return Fail("", $"more than {Limits.MaxRows} rows or {Limits.MaxDecodedBytes} bytes", out error);
            }

            if (!TryReadRow(ref reader, out var seq, out var cpu, out error))
            {
                return false;
            }

            builder.EndRow();
            whole = whole && Continue(cpu, seq);
            Count++;
        }

        if (!whole)
        {
            Run = null;
        }

        return true;
    }

    private bool Continue(ushort cpu, ulong seq)
    {
        if (Run is not { } run)
        {
            Run = (cpu, seq, seq);
            return seq != 0;
        }

        Run = (cpu, run.First, seq);
        return cpu == run.Cpu && seq == run.Last + 1;
    }

    private bool TryReadRow(ref Utf8JsonReader reader, out ulong seq, out ushort cpu, out JsonBatchError error)
    {
        (seq, cpu, error) = (0, DefaultCpu, default);
        ulong set = 0;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (!TryFind(reader, out var ordinal))
            {
                return Fail(JsonBatchReader.Named(reader), $"{_class.Name} version {schema} has no such column", out error);
            }

            if ((set & (1UL << ordinal)) != 0)
            {
                return Fail(_class.Columns[ordinal].Name, "given twice", out error);
            }

            set |= 1UL << ordinal;
            reader.Read();
            if (!TrySet(ordinal, ref reader, out var value))
            {
                return Fail(_class.Columns[ordinal].Name, BoundOf(_class.Columns[ordinal].Type), out error);
            }

            seq = ordinal == ClaimColumns.Seq ? value : seq;
            cpu = ordinal == ClaimColumns.Cpu ? (ushort)value : cpu;
        }

        if ((set & (1UL << ClaimColumns.Cpu)) == 0)
        {
            builder.SetUInt16(ClaimColumns.Cpu, DefaultCpu);
        }

        return true;
    }

    private bool TryFind(in Utf8JsonReader reader, out int ordinal)
    {
        for (ordinal = 0; ordinal < _class.Columns.Count; ordinal++)
        {
            if (reader.ValueTextEquals(_class.Columns[ordinal].Name))
            {
                return _class.Columns[ordinal].Since <= schema;
            }
        }

        return false;
    }

    private bool TrySet(int ordinal, ref Utf8JsonReader reader, out ulong value)
    {
        value = 0;
        long signed;
        var type = _class.Columns[ordinal].Type;
        switch (type)
        {
            case ColumnType.UInt8 when JsonValue.TryUnsigned(reader, byte.MaxValue, out value):
                builder.SetUInt8(ordinal, (byte)value);
                return true;
            case ColumnType.UInt16 when JsonValue.TryUnsigned(reader, ushort.MaxValue, out value):
                builder.SetUInt16(ordinal, (ushort)value);
                return true;
            case ColumnType.UInt32 when JsonValue.TryUnsigned(reader, uint.MaxValue, out value):
                builder.SetUInt32(ordinal, (uint)value);
                return true;
            case ColumnType.UInt64 when JsonValue.TryUnsigned(reader, ulong.MaxValue, out value):
                builder.SetUInt64(ordinal, value);
                return true;
            case ColumnType.Int8 when JsonValue.TrySigned(reader, sbyte.MinValue, sbyte.MaxValue, out signed):
                builder.SetInt8(ordinal, (sbyte)signed);
                return true;
            case ColumnType.Int16 when JsonValue.TrySigned(reader, short.MinValue, short.MaxValue, out signed):
                builder.SetInt16(ordinal, (short)signed);
                return true;
            case ColumnType.Int32 when JsonValue.TrySigned(reader, int.MinValue, int.MaxValue, out signed):
                builder.SetInt32(ordinal, (int)signed);
                return true;
            case ColumnType.Int64 when JsonValue.TrySigned(reader, long.MinValue, long.MaxValue, out signed):
                builder.SetInt64(ordinal, signed);
                return true;
            case ColumnType.DateTime64Micro when JsonValue.TrySigned(reader, long.MinValue, long.MaxValue, out signed):
                builder.SetTime(ordinal, signed);
                return true;
            case ColumnType.Float64 when JsonValue.TryFloat(reader, out var number):
                builder.SetFloat64(ordinal, number);
                return true;
            case ColumnType.Bool when reader.TokenType is JsonTokenType.True or JsonTokenType.False:
                builder.SetBool(ordinal, reader.GetBoolean());
                return true;
            case ColumnType.IPv4 or ColumnType.IPv6:
                return TrySetAddress(ordinal, type, reader);
            case ColumnType.String or ColumnType.Dictionary when reader.TokenType == JsonTokenType.String:
                return TrySetText(ordinal, type, reader);
            default:
                return false;
        }
    }

    private bool TrySetAddress(int ordinal, ColumnType type, in Utf8JsonReader reader)
    {
        if (!JsonValue.TryAddress(reader, out var address))
        {
            return false;
        }

        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out var length);
        if (type == ColumnType.IPv6)
        {
            builder.SetIPv6(ordinal, bytes[..length]);
            return true;
        }

        if (address.AddressFamily != AddressFamily.InterNetwork)
        {
            return false;
        }

        builder.SetIPv4(ordinal, BinaryPrimitives.ReadUInt32BigEndian(bytes));
        return true;
    }

    private bool TrySetText(int ordinal, ColumnType type, in Utf8JsonReader reader)
    {
        // A \u escape of six bytes stands for at most three.
        if (reader.ValueSpan.Length > 6 * Limits.MaxStringBytes)
        {
            return false;
        }

        var buffer = ArrayPool<byte>.Shared.Rent(Math.Max(1, reader.ValueSpan.Length));
        try
        {
            var text = buffer.AsSpan(0, reader.CopyString(buffer));
            return type == ColumnType.String ? builder.TrySetString(ordinal, text) : builder.TrySetDictionary(ordinal, text);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static string BoundOf(ColumnType type) => type switch
    {
        ColumnType.UInt8 => "an integer from 0 to 255",
        ColumnType.UInt16 => "an integer from 0 to 65535",
        ColumnType.UInt32 => "an integer from 0 to 4294967295",
        ColumnType.UInt64 => "an integer from 0 to 2^53, or to 2^64-1 as a decimal string",
        ColumnType.Int8 => "an integer from -128 to 127",
        ColumnType.Int16 => "an integer from -32768 to 32767",
        ColumnType.Int32 => "an integer from -2147483648 to 2147483647",
        ColumnType.Int64 => "an integer within ±2^53, or within 64 bits as a decimal string",
        ColumnType.DateTime64Micro => "microseconds since 1970, an integer within ±2^53 or a decimal string",
        ColumnType.Float64 => "a finite number",
        ColumnType.Bool => "true or false",
        ColumnType.IPv4 => "an IPv4 address, dotted",
        ColumnType.IPv6 => "an IPv6 address, or an IPv4 address, dotted",
        _ => $"a string of at most {Limits.MaxStringBytes} bytes",
    };

    private bool Fail(string column, string detail, out JsonBatchError error)
    {
        var row = string.Create(CultureInfo.InvariantCulture, $"events[{Count}]");
        error = new JsonBatchError(column.Length == 0 ? row : $"{row}.{column}", detail);
        return false;
    }
}
