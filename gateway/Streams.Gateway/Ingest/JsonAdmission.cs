using System.Globalization;
using System.Text;
using System.Text.Json;
using Streams.Schema;
using Streams.Wire;
using Streams.Wire.Json;

namespace Streams.Gateway.Ingest;

/// <summary>
/// Looks at the fields of an opened JSON batch beside its rows, which are passed over: its name is the message's id, and its class belongs to the channel. The
/// worker reads the rest.
/// </summary>
internal static class JsonAdmission
{
    private const int MaxClassName = 64;

    // Object, array, object, and a ledger entry's losses.
    private static readonly JsonReaderOptions Options = new() { MaxDepth = 4 };

    private static readonly string[] Names = ["epoch", "lane", "n", "class", "schema", "ledger", "events", "sensor_epoch"];

    /// <param name="id">Of the message.</param>
    /// <param name="field">The field at fault.</param>
    public static WireError TryRead(
        ReadOnlySpan<byte> content, string id, Channel channel, out BatchName name, out PriorityClass priority, out string field)
    {
        priority = (PriorityClass)channel.LaneClass;
        field = "id";
        if (!TryParse(id, out name))
        {
            return WireError.BadValue;
        }

        try
        {
            return Read(content, name, channel, ref priority, out field);
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            // No JSON, or text with half a surrogate pair.
            field = "";
            return WireError.Malformed;
        }
    }

    private static WireError Read(ReadOnlySpan<byte> content, BatchName name, Channel channel, ref PriorityClass priority, out string field)
    {
        field = "";
        var reader = new Utf8JsonReader(content, Options);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
        {
            return WireError.Malformed;
        }

        var seen = 0;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var index = IndexOf(reader);
            if (index < 0)
            {
                field = JsonText.Name(reader.ValueSpan);
                return WireError.UnknownField;
            }

            field = Names[index];
            if ((seen & (1 << index)) != 0)
            {
                return WireError.DuplicateKey;
            }

            seen |= 1 << index;
            reader.Read();
            if (!Agrees(index, reader, name, channel, ref priority))
            {
                return WireError.BadValue;
            }

            reader.Skip();
        }

        // Nothing may follow the object: the reader throws.
        reader.Read();
        for (var i = 0; i < Names.Length; i++)
        {
            if (Names[i] is not ("ledger" or "sensor_epoch") && (seen & (1 << i)) == 0)
            {
                field = Names[i];
                return WireError.MissingField;
            }
        }

        field = "";
        return WireError.None;
    }

    private static bool Agrees(int index, in Utf8JsonReader reader, BatchName name, Channel channel, ref PriorityClass priority) => index switch
    {
        0 => reader.TokenType == JsonTokenType.String && reader.ValueTextEquals(name.Epoch.ToString()),
        1 => Is(reader, name.Lane),
        2 => Is(reader, name.N),
        3 => reader.TokenType == JsonTokenType.String && !reader.ValueIsEscaped && reader.ValueSpan.Length is > 0 and <= MaxClassName
            && IsOf(Encoding.UTF8.GetString(reader.ValueSpan), channel, ref priority),
        4 => reader.TokenType is JsonTokenType.Number or JsonTokenType.String,
        7 => reader.TokenType == JsonTokenType.String,
        _ => reader.TokenType == JsonTokenType.StartArray,
    };

    private static bool Is(in Utf8JsonReader reader, uint number) =>
        (reader.TokenType == JsonTokenType.Number && reader.TryGetUInt32(out var read) && read == number)
        || (reader.TokenType == JsonTokenType.String && reader.ValueTextEquals(number.ToString(CultureInfo.InvariantCulture)));

    /// <summary>A class that this build does not know goes on: the worker may know it, or holds the lane.</summary>
    private static bool IsOf(string className, Channel channel, ref PriorityClass priority)
    {
        if (!Catalogue.TryGet(className, out var eventClass))
        {
            return true;
        }

        priority = eventClass.Priority;
        return eventClass.Channel == channel.Name;
    }

    private static int IndexOf(in Utf8JsonReader reader)
    {
        for (var i = 0; i < Names.Length; i++)
        {
            if (reader.ValueTextEquals(Names[i]))
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary><c>{epoch}-{lane}-{n}</c>, in the one way to write it.</summary>
    private static bool TryParse(string id, out BatchName name)
    {
        name = default;
        var parts = id.Split('-');
        if (parts.Length != 3 || !Epoch.TryParse(parts[0], out var epoch) || epoch.IsZero
            || !uint.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var lane)
            || !uint.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out var n))
        {
            return false;
        }

        name = new BatchName(epoch, lane, n);
        return string.Create(CultureInfo.InvariantCulture, $"{epoch}-{lane}-{n}") == id;
    }
}
