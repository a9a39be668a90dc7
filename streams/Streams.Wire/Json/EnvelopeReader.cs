using System.Buffers;
using System.Text;
using System.Text.Json;
using Streams.Wire.Messages;

namespace Streams.Wire.Json;

/// <summary>
/// Reads the envelope of a text message: each field once, no other, of its type and within its bound. What is wrong is named by its field. Allocates one
/// <see cref="Envelope"/>; values are not copied. A value with escapes, which JSON permits anywhere, is put in its place without them.
/// </summary>
public static class EnvelopeReader
{
    private const string Headers = "headers";
    private const int All = 0b111_1111_1111;
    private const int HeadersBit = 7;

    private static readonly JsonReaderOptions Options = new() { MaxDepth = 2 };

    private static readonly string[] Names =
        ["id", "type", "channel", "payload", "timestamp", "nonce", "signature", Headers, "agent_id", "module_id", "session_token"];

    private static readonly int[] Bounds =
    [
        Limits.MaxMessageIdBytes, 8, Limits.MaxChannelNameBytes, Limits.MaxFrameBytes, 0, 16, 88, 0,
        Limits.MaxNameBytes, Limits.MaxModuleNameBytes, Limits.MaxTokenBytes,
    ];

    /// <param name="text">The whole message. Changed only where a value had escapes.</param>
    /// <param name="fromAgent">The direction it came in.</param>
    /// <param name="envelope">What could be read, for an answer; null when it is not even JSON.</param>
    /// <param name="field">The field that is at fault; empty for none in particular.</param>
    public static WireError TryRead(Span<byte> text, bool fromAgent, out Envelope? envelope, out string field)
    {
        envelope = null;
        field = "";
        if (text.Length > Limits.MaxFrameBytes)
        {
            return WireError.TooLarge;
        }

        var read = new Envelope();
        try
        {
            var reader = new Utf8JsonReader(text, Options);
            var error = ReadFields(ref reader, text, read, ref field);
            if (error != WireError.None)
            {
                return error;
            }
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            // No JSON, or a name with half a surrogate pair.
            field = "";
            return WireError.Malformed;
        }

        envelope = read;
        return Judge(text, read, fromAgent, out field);
    }

    private static WireError ReadFields(ref Utf8JsonReader reader, Span<byte> text, Envelope envelope, ref string field)
    {
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            return WireError.Malformed;
        }

        var seen = 0;
        var inHeaders = false;
        while (reader.Read())
        {
            if (reader.TokenType == JsonTokenType.EndObject)
            {
                if (!inHeaders)
                {
                    break;
                }

                inHeaders = false;
                continue;
            }

            var index = IndexOf(reader, inHeaders);
            if (index < 0)
            {
                field = Named(reader, inHeaders);
                return WireError.UnknownField;
            }

            field = inHeaders ? $"{Headers}.{Names[index]}" : Names[index];
            if ((seen & (1 << index)) != 0)
            {
                return WireError.DuplicateKey;
            }

            seen |= 1 << index;
            reader.Read();
            var error = Take(ref reader, text, envelope, index, ref inHeaders);
            if (error != WireError.None)
            {
                return error;
            }
        }

        // Behind the object there is nothing but white space: the reader throws.
        reader.Read();
        for (var i = 0; i < Names.Length; i++)
        {
            if ((All & ~seen & (1 << i)) != 0)
            {
                field = i > HeadersBit ? $"{Headers}.{Names[i]}" : Names[i];
                return WireError.MissingField;
            }
        }

        field = "";
        return WireError.None;
    }

    private static WireError Take(ref Utf8JsonReader reader, Span<byte> text, Envelope envelope, int index, ref bool inHeaders)
    {
        if (index == HeadersBit)
        {
            inHeaders = true;
            return reader.TokenType == JsonTokenType.StartObject ? WireError.None : WireError.BadValue;
        }

        if (index == 4)
        {
            var isNumber = JsonNumber.TryRead(in reader, ulong.MaxValue, out var timestamp);
            envelope.Timestamp = timestamp;
            return isNumber ? WireError.None : WireError.BadValue;
        }

        if (reader.TokenType != JsonTokenType.String)
        {
            return WireError.BadValue;
        }

        var slice = new TextSlice((int)reader.TokenStartIndex + 1, reader.ValueSpan.Length);
        if (reader.ValueIsEscaped && !TryUnescape(in reader, text, ref slice))
        {
            return WireError.BadValue;
        }

        if (slice.Length > Bounds[index])
        {
            return WireError.TooLarge;
        }

        Set(envelope, index, slice);
        return WireError.None;
    }

    private static void Set(Envelope envelope, int index, TextSlice slice)
    {
        switch (index)
        {
            case 0: envelope.Id = slice; break;
            case 1: envelope.TypeName = slice; break;
            case 2: envelope.ChannelName = slice; break;
            case 3: envelope.Payload = slice; break;
            case 5: envelope.Nonce = slice; break;
            case 6: envelope.Signature = slice; break;
            case 8: envelope.AgentId = slice; break;
            case 9: envelope.Module = slice; break;
            default: envelope.Token = slice; break;
        }
    }

    private static bool TryUnescape(in Utf8JsonReader reader, Span<byte> text, ref TextSlice slice)
    {
        var scratch = ArrayPool<byte>.Shared.Rent(slice.Length);
        try
        {
            var length = reader.CopyString(scratch);
            scratch.AsSpan(0, length).CopyTo(text[slice.Start..]);
            slice = slice with { Length = length };
            return true;
        }
        catch (InvalidOperationException)
        {
            // Half a surrogate pair.
            return false;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(scratch);
        }
    }

    private static WireError Judge(ReadOnlySpan<byte> text, Envelope envelope, bool fromAgent, out string field)
    {
        field = "id";
        if (!MessageId.IsValid(envelope.Id.Of(text)))
        {
            return WireError.BadValue;
        }

        field = "type";
        var type = envelope.TypeName.Of(text);
        envelope.Type = type.SequenceEqual("request"u8) ? MessageType.Request
            : type.SequenceEqual("response"u8) ? MessageType.Response
            : type.SequenceEqual("event"u8) ? MessageType.Event
            : default;
        if (envelope.Type == default)
        {
            return WireError.BadValue;
        }

        Span<char> name = stackalloc char[Limits.MaxChannelNameBytes];
        Span<char> module = stackalloc char[Limits.MaxModuleNameBytes];
        var channel = Channels.Find(Chars(envelope.ChannelName.Of(text), name));
        envelope.Channel = channel ?? envelope.Channel;
        var direction = fromAgent ? ChannelDirection.AgentToGateway : ChannelDirection.GatewayToAgent;
        var error = Channels.Check(channel, direction, Chars(envelope.Module.Of(text), module), envelope.Type);
        field = error switch
        {
            WireError.None => "",
            WireError.WrongModule => "headers.module_id",
            WireError.WrongType => "type",
            _ => "channel",
        };
        return error;
    }

    /// <summary>What is no ASCII becomes something that is in no name.</summary>
    private static ReadOnlySpan<char> Chars(ReadOnlySpan<byte> ascii, Span<char> chars) =>
        Encoding.Latin1.GetChars(ascii, chars) is var count ? chars[..count] : default;

    private static int IndexOf(in Utf8JsonReader reader, bool inHeaders)
    {
        for (var i = inHeaders ? HeadersBit + 1 : 0; i < (inHeaders ? Names.Length : HeadersBit + 1); i++)
        {
            if (reader.ValueTextEquals(Names[i]))
            {
                return i;
            }
        }

        return -1;
    }

    private static string Named(in Utf8JsonReader reader, bool inHeaders) =>
        (inHeaders ? Headers + "." : "") + JsonText.Name(reader.ValueSpan);
}
