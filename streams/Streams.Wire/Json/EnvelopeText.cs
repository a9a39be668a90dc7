using System.Buffers.Text;
using System.Text;
using Streams.Wire.Messages;

namespace Streams.Wire.Json;

/// <summary>Writes the text of an envelope around its payload. Every value is of characters that JSON needs no escape for, or it is not written.</summary>
internal static class EnvelopeText
{
    /// <summary>Everything but payload and token, generously.</summary>
    internal const int MaxBytes = 512 + Limits.MaxMessageIdBytes + Limits.MaxChannelNameBytes + Limits.MaxNameBytes + Limits.MaxModuleNameBytes;

    internal static ReadOnlySpan<byte> TypeOf(MessageType type) => type switch
    {
        MessageType.Request => "request"u8,
        MessageType.Response => "response"u8,
        _ => "event"u8,
    };

    /// <returns>Where the payload goes.</returns>
    internal static int WriteStart(in EnvelopeHead head, Span<byte> text)
    {
        if (!MessageId.IsValid(head.Id) || !IsPlain(head.Channel) || !IsPlain(head.AgentId) || !IsPlain(head.Module)
            || head.Channel.Length > Limits.MaxChannelNameBytes || head.AgentId.Length > Limits.MaxNameBytes
            || head.Module.Length > Limits.MaxModuleNameBytes || head.Token.Length > Limits.MaxTokenBytes
            || !TokenMessage.IsToken(head.Token.Span) || head.Token.Span.ContainsAny((byte)'"', (byte)'\\'))
        {
            throw new ArgumentException("a value of the envelope is not of its characters, or too long", nameof(head));
        }

        var writer = new WireWriter(text);
        writer.Bytes("{\"id\":\""u8);
        Ascii(ref writer, head.Id);
        writer.Bytes("\",\"type\":\""u8);
        writer.Bytes(TypeOf(head.Type));
        writer.Bytes("\",\"channel\":\""u8);
        Ascii(ref writer, head.Channel);
        writer.Bytes("\",\"payload\":\""u8);
        return writer.Position;
    }

    /// <param name="nonce">Empty, like the signature, in the handshake.</param>
    internal static int WriteEnd(in EnvelopeHead head, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> signature, Span<byte> text)
    {
        var writer = new WireWriter(text);
        // A number up to 2^53, which Unix µs are until 2255.
        writer.Bytes("\",\"timestamp\":"u8);
        Ascii(ref writer, Math.Min(head.Timestamp, 1UL << 53).ToString(System.Globalization.CultureInfo.InvariantCulture));
        writer.Bytes(",\"nonce\":\""u8);
        Base64Of(ref writer, nonce);
        writer.Bytes("\",\"signature\":\""u8);
        Base64Of(ref writer, signature);
        writer.Bytes("\",\"headers\":{\"agent_id\":\""u8);
        Ascii(ref writer, head.AgentId);
        writer.Bytes("\",\"module_id\":\""u8);
        Ascii(ref writer, head.Module);
        writer.Bytes("\",\"session_token\":\""u8);
        writer.Bytes(head.Token.Span);
        writer.Bytes("\"}}"u8);
        return writer.Position;
    }

    private static bool IsPlain(string name) => !name.AsSpan().ContainsAnyExceptInRange('!', '~') && !name.AsSpan().ContainsAny('"', '\\');

    private static void Ascii(ref WireWriter writer, string text) => Encoding.ASCII.GetBytes(text, writer.Reserve(text.Length));

    private static void Base64Of(ref WireWriter writer, ReadOnlySpan<byte> bytes) =>
        Base64.EncodeToUtf8(bytes, writer.Reserve(Base64.GetMaxEncodedToUtf8Length(bytes.Length)), out _, out _);
}
