using System.Buffers.Text;
using System.Text;
using Streams.Wire.Crypto;
using Streams.Wire.Frames;
using Streams.Wire.Handshake;
using Streams.Wire.Interop;
using Streams.Wire.Keys;

namespace Streams.Wire.Json;

/// <summary>
/// Seals the messages of one direction of a JSON session. Unlike <see cref="FrameSealer"/> it cannot rekey by itself: the change of key is a message of its own,
/// so the sender asks <see cref="IsRekeyDue"/> before each message and sends <see cref="SealRekey"/> first. Not thread-safe.
/// </summary>
public sealed unsafe class JsonSealer : IDisposable
{
    private readonly KeyArena _arena;
    private readonly TimeProvider _time;
    private readonly SigningKey _key;
    private readonly bool _fromAgent;
    private readonly byte[] _sessionId;
    private KeySlot _slot;
    private long _keyStarted;

    /// <summary>The agent's end.</summary>
    public JsonSealer(SessionKeys keys, AgentIdentity identity, TimeProvider time)
        : this(keys, identity?.Key ?? throw new ArgumentNullException(nameof(identity)), fromAgent: true, time)
    {
    }

    /// <summary>The gateway's end.</summary>
    public JsonSealer(SessionKeys keys, GatewayIdentity identity, TimeProvider time)
        : this(keys, identity?.Key ?? throw new ArgumentNullException(nameof(identity)), fromAgent: false, time)
    {
    }

    private JsonSealer(SessionKeys keys, SigningKey key, bool fromAgent, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(keys);
        ArgumentNullException.ThrowIfNull(time);
        _arena = keys.Arena;
        _sessionId = keys.SessionId.ToArray();
        _slot = keys.TakeSend();
        _key = key;
        _fromAgent = fromAgent;
        _time = time;
        _keyStarted = time.GetTimestamp();
    }

    public uint KeyEpoch { get; private set; }

    /// <summary>Counter of the next message.</summary>
    public ulong Counter { get; private set; }

    /// <summary>The next message has to be the rekey; one counter is kept for it.</summary>
    public bool IsRekeyDue =>
        Counter >= Limits.MaxFramesPerKey - 1 || _time.GetElapsedTime(_keyStarted).Ticks >= Limits.MaxKeySeconds * TimeSpan.TicksPerSecond;

    /// <summary>Room that a rekey with no token needs.</summary>
    public static int MaxRekeyBytes { get; } = GetMaxLength(RekeyContent.MaxBytes, 0);

    /// <summary>Room that any message with so much content and such a token needs.</summary>
    public static int GetMaxLength(int contentLength, int tokenLength) =>
        Base64.GetMaxEncodedToUtf8Length(EnvelopeSeal.SaltSize + contentLength + FrameHeader.TagSize) + EnvelopeText.MaxBytes + tokenLength;

    /// <returns>Length of the message.</returns>
    public int Seal(in EnvelopeHead head, ReadOnlySpan<byte> content, Span<byte> text)
    {
        ObjectDisposedException.ThrowIf(!_slot.IsRented, this);
        ArgumentOutOfRangeException.ThrowIfLessThan(text.Length, GetMaxLength(content.Length, head.Token.Length));
        if (Counter >= Limits.MaxFramesPerKey)
        {
            throw new InvalidOperationException("the key is used up: a rekey was due");
        }

        var at = EnvelopeText.WriteStart(in head, text);
        var payload = text[at..];
        Entropy.Fill(payload[..EnvelopeSeal.SaltSize]);
        content.CopyTo(payload[EnvelopeSeal.SaltSize..]);
        var plaintext = payload[..(EnvelopeSeal.SaltSize + content.Length)];
        Span<byte> nonce = stackalloc byte[FrameNonce.Size];
        Span<byte> signature = stackalloc byte[SigningKey.SignatureSize];
        Protect(in head, plaintext, nonce, signature);
        Base64.EncodeToUtf8InPlace(payload, plaintext.Length + FrameHeader.TagSize, out var encoded);
        Counter++;
        return at + encoded + EnvelopeText.WriteEnd(in head, nonce, signature, payload[encoded..]);
    }

    /// <summary>The last message under this key; the next one is sealed under the next.</summary>
    public int SealRekey(in EnvelopeHead head, Span<byte> text)
    {
        Span<byte> content = stackalloc byte[RekeyContent.MaxBytes];
        var length = Seal(in head, content[..RekeyContent.Write(checked(KeyEpoch + 1), content)], text);
        TrafficKey.Advance(_slot);
        KeyEpoch++;
        Counter = 0;
        _keyStarted = _time.GetTimestamp();
        return length;
    }

    private void Protect(in EnvelopeHead head, Span<byte> plaintext, Span<byte> nonce, Span<byte> signature)
    {
        Span<byte> names = stackalloc byte[Limits.MaxMessageIdBytes + Limits.MaxChannelNameBytes + Limits.MaxNameBytes + Limits.MaxModuleNameBytes];
        var rest = names;
        var id = Ascii(head.Id, ref rest);
        var channel = Ascii(head.Channel, ref rest);
        var agent = Ascii(head.AgentId, ref rest);
        var module = Ascii(head.Module, ref rest);
        Span<byte> aad = stackalloc byte[EnvelopeSeal.MaxAadSize];
        aad = aad[..EnvelopeSeal.WriteAad(
            id, EnvelopeText.TypeOf(head.Type), channel, head.Timestamp, agent, module, head.Token.Span, _fromAgent, aad)];
        FrameNonce.Write(TrafficKey.Iv(_slot), Counter, nonce);
        Span<byte> signed = stackalloc byte[EnvelopeSeal.SignedSize];
        EnvelopeSeal.WriteSigned(_sessionId, _fromAgent, nonce, aad, plaintext, signed);
        _key.Sign(SigningInput.JsonMessage, signed, signature);
        fixed (byte* t = plaintext, a = aad, n = nonce)
        {
            Sodium.crypto_aead_chacha20poly1305_ietf_encrypt_detached(
                t, t + plaintext.Length, null, t, (ulong)plaintext.Length, a, (ulong)aad.Length, null, n, TrafficKey.Key(_slot));
        }
    }

    private static ReadOnlySpan<byte> Ascii(string text, ref Span<byte> room)
    {
        var written = room[..Encoding.ASCII.GetBytes(text, room)];
        room = room[written.Length..];
        return written;
    }

    public void Dispose() => _arena.Return(ref _slot);
}
