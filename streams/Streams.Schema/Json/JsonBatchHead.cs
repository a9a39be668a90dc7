using System.Text.Json;

namespace Streams.Schema.Json;

/// <summary>
/// The fields of a JSON batch beside its rows: <c>epoch, lane, n, class, schema, ledger, events</c>, and <c>sensor_epoch</c> for who has one. In any
/// order, each once. Where ledger and rows stand is kept, they are read when the class is known.
/// </summary>
internal struct JsonBatchHead
{
    private const int Required = 0b0101_1111;
    private static readonly string[] Names = ["epoch", "lane", "n", "class", "schema", "ledger", "events", "sensor_epoch"];

    private int _seen;

    public BatchName Name { get; private set; }

    public string Class { get; private set; }

    public ushort Schema { get; private set; }

    /// <summary>The epoch where it is not said.</summary>
    public Epoch SensorEpoch { get; private set; }

    /// <summary>Offset of the ledger's array; -1 without one.</summary>
    public int LedgerAt { get; private set; }

    public int EventsAt { get; private set; }

    /// <exception cref="JsonException">Not JSON.</exception>
    public static bool TryRead(ReadOnlySpan<byte> document, out JsonBatchHead head, out JsonBatchError error)
    {
        head = new JsonBatchHead { LedgerAt = -1, Class = "" };
        error = default;
        var reader = new Utf8JsonReader(document, JsonBatchReader.Options);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            error = new JsonBatchError("", "a batch is an object");
            return false;
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var field = FieldOf(reader);
            if (field < 0)
            {
                error = new JsonBatchError(JsonBatchReader.Named(reader), "unknown field");
                return false;
            }

            if ((head._seen & (1 << field)) != 0)
            {
                error = new JsonBatchError(Names[field], "given twice");
                return false;
            }

            head._seen |= 1 << field;
            reader.Read();
            if (!head.TryTake(field, ref reader, out var bound))
            {
                error = new JsonBatchError(Names[field], bound);
                return false;
            }
        }

        // Behind the object nothing follows: the reader throws.
        while (reader.Read())
        {
        }

        for (var field = 0; field < Names.Length; field++)
        {
            if ((Required & ~head._seen & (1 << field)) != 0)
            {
                error = new JsonBatchError(Names[field], "missing");
                return false;
            }
        }

        if (head.SensorEpoch.IsZero)
        {
            head.SensorEpoch = head.Name.Epoch;
        }

        return true;
    }

    private static int FieldOf(in Utf8JsonReader reader)
    {
        for (var field = 0; field < Names.Length; field++)
        {
            if (reader.ValueTextEquals(Names[field]))
            {
                return field;
            }
        }

        return -1;
    }

    private bool TryTake(int field, ref Utf8JsonReader reader, out string bound)
    {
        bound = "";
        ulong number;
        switch (field)
        {
            case 0 or 7:
                bound = "32 hexadecimal digits in lower case, not all zero";
                if (!JsonValue.TryEpoch(reader, out var epoch))
                {
                    return false;
                }

                (Name, SensorEpoch) = field == 0 ? (Name with { Epoch = epoch }, SensorEpoch) : (Name, epoch);
                return true;
            case 1 or 2:
                bound = "an integer from 0 to 4294967295";
                if (!JsonValue.TryUnsigned(reader, uint.MaxValue, out number))
                {
                    return false;
                }

                Name = field == 1 ? Name with { Lane = (uint)number } : Name with { N = (uint)number };
                return true;
            case 3:
                bound = "the name of a class, at most 64 characters";
                if (reader.TokenType != JsonTokenType.String || reader.ValueIsEscaped || reader.ValueSpan.Length is 0 or > 64)
                {
                    return false;
                }

                Class = reader.GetString()!;
                return true;
            case 4:
                bound = "an integer from 1 to 65535";
                if (!JsonValue.TryUnsigned(reader, ushort.MaxValue, out number) || number == 0)
                {
                    return false;
                }

                Schema = (ushort)number;
                return true;
            default:
                bound = "an array";
                var start = (int)reader.TokenStartIndex;
                (LedgerAt, EventsAt) = field == 5 ? (start, EventsAt) : (LedgerAt, start);
                return reader.TokenType == JsonTokenType.StartArray && reader.TrySkip();
        }
    }
}
