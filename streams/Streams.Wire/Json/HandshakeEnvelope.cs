using System.Buffers.Text;
using System.Text;

namespace Streams.Wire.Json;

/// <summary>
/// A handshake message in <c>streams.v1.json</c>: the binary struct as base64 payload of channel <c>auth</c>, nonce, signature and token empty. The transcript is
/// over the struct, so there is one for both subprotocols.
/// </summary>
public static class HandshakeEnvelope
{
    /// <summary>Room that any of them needs.</summary>
    public static int MaxBytes { get; } = Base64.GetMaxEncodedToUtf8Length(Limits.MaxHandshakeMessageBytes) + EnvelopeText.MaxBytes;

    private const string Module = "comm";

    /// <param name="type">M1 is a request, M2 its response, M3 and a refusal are events.</param>
    /// <param name="agentId">Empty where it is not known yet.</param>
    /// <returns>Length of the text.</returns>
    public static int Write(ReadOnlySpan<byte> message, MessageType type, string agentId, ulong timestamp, Span<byte> text)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(message.Length, Limits.MaxHandshakeMessageBytes);
        var head = new EnvelopeHead("auth", type, Channels.Find(Channels.Auth)!.Name, timestamp, agentId, Module);
        var at = EnvelopeText.WriteStart(in head, text);
        Base64.EncodeToUtf8(message, text[at..], out _, out var encoded);
        at += encoded;
        return at + EnvelopeText.WriteEnd(in head, default, default, text[at..]);
    }

    /// <param name="message">The struct, decoded in its place.</param>
    /// <param name="agentId">What the header says. No transcript covers it: only the struct proves anything.</param>
    public static bool TryRead(Span<byte> text, bool fromAgent, out Span<byte> message, out string agentId)
    {
        message = default;
        agentId = "";
        if (EnvelopeReader.TryRead(text, fromAgent, out var envelope, out _) != WireError.None || envelope!.Channel.Number != Channels.Auth
            || envelope.Nonce.Length != 0 || envelope.Signature.Length != 0 || envelope.Token.Length != 0)
        {
            return false;
        }

        var payload = text.Slice(envelope.Payload.Start, envelope.Payload.Length);
        if (!JsonOpener.TryDecodeInPlace(payload, out var written) || written > Limits.MaxHandshakeMessageBytes)
        {
            return false;
        }

        message = payload[..written];
        agentId = Encoding.ASCII.GetString(envelope.AgentId.Of(text));
        return true;
    }
}
