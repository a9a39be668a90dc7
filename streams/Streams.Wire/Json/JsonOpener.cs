using System.Buffers;
using System.Buffers.Text;
using Streams.Wire.Crypto;
using Streams.Wire.Frames;
using Streams.Wire.Interop;
using Streams.Wire.Keys;

namespace Streams.Wire.Json;

/// <summary>
/// Opens the messages of one direction of a JSON session, strictly in order, under the keys and counters that <see cref="FrameOpener"/> has in
/// <c>streams.v1.bin</c>. Any error is final: the session must be closed. Not thread-safe.
/// </summary>
public sealed unsafe class JsonOpener : IDisposable
{
    /// <summary>Random bytes before the content in the plaintext.</summary>
    public const int SaltBytes = EnvelopeSeal.SaltSize;

    private const int Base64Nonce = 16;
    private const int Base64Signature = 88;

    private readonly KeyArena _arena;
    private readonly bool _fromAgent;
    private readonly byte[] _sessionId;
    private readonly ReadOnlyMemory<byte> _peerKey;
    private KeySlot _slot;
    private ulong _counter;

    /// <param name="fromAgent">True at the gateway.</param>
    /// <param name="peerKey">Ed25519: the agent's as the handshake proved it, or the one of the gateway's certificate.</param>
    public JsonOpener(SessionKeys keys, bool fromAgent, ReadOnlyMemory<byte> peerKey)
    {
        ArgumentNullException.ThrowIfNull(keys);
        _arena = keys.Arena;
        _sessionId = keys.SessionId.ToArray();
        _slot = keys.TakeReceive();
        _fromAgent = fromAgent;
        _peerKey = peerKey;
    }

    /// <summary>key_epoch of the next message.</summary>
    public uint KeyEpoch { get; private set; }

    /// <summary>Opens a message in place.</summary>
    /// <param name="content">A part of <paramref name="text"/>; empty for a rekey, which is obeyed here.</param>
    /// <param name="field">The field at fault.</param>
    public WireError TryOpen(Span<byte> text, Envelope envelope, out Span<byte> content, out string field)
    {
        ArgumentNullException.ThrowIfNull(envelope);
        content = default;
        field = "";
        if (!_slot.IsRented)
        {
            return WireError.NotAllowed;
        }

        var error = Open(text, envelope, out content, out field);
        if (error == WireError.None && envelope.IsRekey)
        {
            error = Rekey(content, out field);
            content = default;
        }

        if (error != WireError.None)
        {
            Dispose();
        }

        return error;
    }

    private WireError Open(Span<byte> text, Envelope envelope, out Span<byte> content, out string field)
    {
        content = default;
        field = "nonce";
        Span<byte> expected = stackalloc byte[FrameNonce.Size];
        Span<byte> nonce = stackalloc byte[FrameNonce.Size];
        FrameNonce.Write(TrafficKey.Iv(_slot), _counter, expected);
        if (_counter >= Limits.MaxFramesPerKey || !TryDecode(envelope.Nonce.Of(text), Base64Nonce, nonce) || !Entropy.Equal(nonce, expected))
        {
            return WireError.BadNonce;
        }

        field = "signature";
        Span<byte> signature = stackalloc byte[SigningKey.SignatureSize];
        if (!TryDecode(envelope.Signature.Of(text), Base64Signature, signature))
        {
            return WireError.BadSignature;
        }

        field = "payload";
        var payload = text.Slice(envelope.Payload.Start, envelope.Payload.Length);
        if (!TryDecodeInPlace(payload, out var length) || length < EnvelopeSeal.SaltSize + FrameHeader.TagSize)
        {
            return WireError.BadValue;
        }

        Span<byte> aad = stackalloc byte[EnvelopeSeal.MaxAadSize];
        aad = aad[..EnvelopeSeal.WriteAad(envelope.Id.Of(text), envelope.TypeName.Of(text), envelope.ChannelName.Of(text), envelope.Timestamp,
            envelope.AgentId.Of(text), envelope.Module.Of(text), envelope.Token.Of(text), _fromAgent, aad)];
        var plaintext = payload[..(length - FrameHeader.TagSize)];
        if (!Decrypt(plaintext, aad, nonce))
        {
            return WireError.NotAuthentic;
        }

        _counter++;
        field = "signature";
        Span<byte> signed = stackalloc byte[EnvelopeSeal.SignedSize];
        EnvelopeSeal.WriteSigned(_sessionId, _fromAgent, nonce, aad, plaintext, signed);
        if (!Signature.Verify(_peerKey.Span, SigningInput.JsonMessage, signed, signature))
        {
            return WireError.BadSignature;
        }

        field = "";
        content = plaintext[EnvelopeSeal.SaltSize..];
        return WireError.None;
    }

    /// <summary>The tag follows the text in the same buffer.</summary>
    private bool Decrypt(Span<byte> text, ReadOnlySpan<byte> aad, ReadOnlySpan<byte> nonce)
    {
        fixed (byte* t = text, a = aad, n = nonce)
        {
            return Sodium.crypto_aead_chacha20poly1305_ietf_decrypt_detached(
                t, null, t, (ulong)text.Length, t + text.Length, a, (ulong)aad.Length, n, TrafficKey.Key(_slot)) == 0;
        }
    }

    private WireError Rekey(ReadOnlySpan<byte> content, out string field)
    {
        var error = RekeyContent.TryRead(content, out var keyEpoch, out field);
        if (error != WireError.None)
        {
            return error;
        }

        if (keyEpoch != KeyEpoch + 1UL)
        {
            field = RekeyContent.Field;
            return WireError.BadValue;
        }

        TrafficKey.Advance(_slot);
        KeyEpoch++;
        _counter = 0;
        return WireError.None;
    }

    private static bool TryDecode(ReadOnlySpan<byte> base64, int length, Span<byte> bytes) =>
        base64.Length == length && Base64.DecodeFromUtf8(base64, bytes, out var used, out var written) == OperationStatus.Done
            && used == length && written == bytes.Length;

    internal static bool TryDecodeInPlace(Span<byte> base64, out int length)
    {
        // White space inside would be skipped by the decoder: then fewer bytes come out than the length says.
        var padding = base64.EndsWith("=="u8) ? 2 : base64.EndsWith("="u8) ? 1 : 0;
        length = (base64.Length / 4 * 3) - padding;
        return base64.Length % 4 == 0 && Base64.DecodeFromUtf8InPlace(base64, out var written) == OperationStatus.Done && written == length;
    }

    public void Dispose() => _arena.Return(ref _slot);
}
