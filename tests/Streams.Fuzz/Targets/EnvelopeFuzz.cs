using System.Text;
using Streams.Wire;
using Streams.Wire.Crypto;
using Streams.Wire.Handshake;
using Streams.Wire.Json;
using Streams.Wire.Keys;
using Streams.Wire.Messages;

namespace Streams.Fuzz.Targets;

/// <summary>
/// A text message of <c>streams.v1.json</c>: its envelope, the handshake inside one, and the opener behind it. A text may be written in many ways; what opens
/// says what was sealed.
/// </summary>
internal sealed class EnvelopeFuzz : FuzzTarget
{
    private const string Content = """{"code":"refused","detail":"class"}""";

    private readonly AgentIdentity _agent = new("agent-001", SigningKey.FromSeed(new byte[32]));
    private readonly byte[] _agentKey;

    public EnvelopeFuzz()
    {
        _agentKey = _agent.PublicKey.ToArray();
    }

    public override string Name => "envelope";

    public override int MaxBytes => 8 * 1024;

    public override IEnumerable<byte[]> Seeds()
    {
        yield return Sealed();
        yield return Rekey();
        var text = new byte[HandshakeEnvelope.MaxBytes];
        yield return text[..HandshakeEnvelope.Write([2, 1, 1, 0], MessageType.Response, "agent-001", 7, text)];
    }

    public override IReadOnlyList<byte[]> Words { get; } =
        [.. new[] { "\"headers\":{", "\"id\":", "\"payload\":\"", "\"session_token\":\"\"", "18446744073709551616", "\\u0061", "\\ud800", "\\\"", "{", "}", ",", "  " }.Select(Utf8)];

    public override int Run(ReadOnlySpan<byte> input)
    {
        var text = input.ToArray();
        var error = EnvelopeReader.TryRead(text, fromAgent: true, out var envelope, out var field);
        Must(error != WireError.None || field.Length == 0, "a field at fault and no fault");
        Must(field.Length < 64 && Ascii.IsValid(field) && field.All(c => !char.IsControl(c)), "a field that cannot be logged");
        if (error != WireError.None)
        {
            return ((int)error << 8) + field.Length;
        }

        Must(MessageId.IsValid(envelope!.Id.Of(text)) && envelope.Channel.Number != 0, "an envelope with no id or channel");
        if (HandshakeEnvelope.TryRead(input.ToArray(), fromAgent: true, out var message, out _))
        {
            Must(message.Length <= Limits.MaxHandshakeMessageBytes, "a long handshake message");
            return 1 + message.Length;
        }

        return Open(text, envelope);
    }

    private int Open(byte[] text, Envelope envelope)
    {
        using var arena = new KeyArena(2);
        using var keys = SessionKeys.TryDerive(arena, new byte[32], new byte[32], isAgent: false)!;
        using var opener = new JsonOpener(keys, fromAgent: true, _agentKey);
        var error = opener.TryOpen(text, envelope, out var content, out var field);
        Must((error == WireError.None) == (field.Length == 0), "a fault without its field");
        if (error != WireError.None)
        {
            Must(content.IsEmpty && opener.TryOpen(text, envelope, out _, out _) == WireError.NotAllowed, "an error is not the end");
            return 100_000 + (int)error;
        }

        Must(opener.KeyEpoch == (envelope.IsRekey ? 1 : 0), "a key that nobody changed");
        Must(envelope.IsRekey ? content.IsEmpty : content.SequenceEqual(Utf8(Content)), "what opens was not sealed");
        return 200_000 + envelope.Channel.Number;
    }

    private byte[] Sealed()
    {
        using var arena = new KeyArena(2);
        using var keys = SessionKeys.TryDerive(arena, new byte[32], new byte[32], isAgent: true)!;
        using var sealer = new JsonSealer(keys, _agent, TimeProvider.System);
        var head = new EnvelopeHead("a1", MessageType.Event, "session.flow.error", 7, "agent-001", "comm", Utf8("a.b.c"));
        var text = new byte[JsonSealer.GetMaxLength(Content.Length, head.Token.Length)];
        return text[..sealer.SealSalted(in head, new byte[JsonOpener.SaltBytes], Utf8(Content), text)];
    }

    private byte[] Rekey()
    {
        using var arena = new KeyArena(2);
        using var keys = SessionKeys.TryDerive(arena, new byte[32], new byte[32], isAgent: true)!;
        using var sealer = new JsonSealer(keys, _agent, TimeProvider.System);
        var head = new EnvelopeHead("a1", MessageType.Event, "session.flow.rekey", 7, "agent-001", "comm");
        var text = new byte[JsonSealer.MaxRekeyBytes];
        return text[..sealer.SealRekeySalted(in head, new byte[JsonOpener.SaltBytes], text)];
    }
}
