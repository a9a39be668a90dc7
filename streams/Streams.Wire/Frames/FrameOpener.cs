using Streams.Wire.Interop;
using Streams.Wire.Keys;

namespace Streams.Wire.Frames;

/// <summary>
/// Opens the frames of one direction of one session, strictly in order. Any error is final: the session must be closed, and every later
/// call
/// gives <see cref="FrameError.Closed"/>. Allocates nothing per frame. Not thread-safe.
/// </summary>
public sealed unsafe class FrameOpener : IDisposable
{
    private readonly KeyArena _arena;
    private readonly bool _fromAgent;
    private KeySlot _slot;
    private uint _keyEpoch;
    private ulong _counter;

    /// <param name="fromAgent">True at the gateway: only the agent's frame types are accepted, so a reflected frame never opens.</param>
    public FrameOpener(SessionKeys keys, bool fromAgent)
    {
        ArgumentNullException.ThrowIfNull(keys);
        _arena = keys.Arena;
        _slot = keys.TakeReceive();
        _fromAgent = fromAgent;
    }

    /// <summary>Opens a whole frame in place; <paramref name="plaintext"/> is a part of <paramref name="frame"/>.</summary>
    public FrameError TryOpen(Span<byte> frame, out FrameHeader header, out Span<byte> plaintext)
    {
        plaintext = default;
        header = default;
        if (!_slot.IsRented)
        {
            return FrameError.Closed;
        }

        var error = Check(frame, out header);
        if (error == FrameError.None)
        {
            error = Decrypt(frame, header, out plaintext);
        }

        if (error != FrameError.None)
        {
            Dispose();
        }

        return error;
    }

    private FrameError Check(ReadOnlySpan<byte> frame, out FrameHeader header)
    {
        var error = FrameHeader.TryRead(frame, out header);
        if (error != FrameError.None)
        {
            return error;
        }

        if (frame.Length != header.Length + FrameHeader.Overhead)
        {
            return FrameError.BadLength;
        }

        if (FrameHeader.IsFromAgent(header.Type) != _fromAgent)
        {
            return FrameError.UnexpectedType;
        }

        if (header.KeyEpoch == _keyEpoch)
        {
            return header.Counter == _counter && _counter < Limits.MaxFramesPerKey ? FrameError.None : FrameError.BadCounter;
        }

        if (header.KeyEpoch != _keyEpoch + 1UL)
        {
            return FrameError.BadKeyEpoch;
        }

        return header.Counter == 0 ? FrameError.None : FrameError.BadCounter;
    }

    private FrameError Decrypt(Span<byte> frame, FrameHeader header, out Span<byte> plaintext)
    {
        plaintext = default;
        if (header.KeyEpoch != _keyEpoch)
        {
            // The old key is gone before the tag is checked. That is safe because a tag that does not fit ends the session anyway.
            TrafficKey.Advance(_slot);
            _keyEpoch = header.KeyEpoch;
            _counter = 0;
        }

        Span<byte> nonce = stackalloc byte[FrameNonce.Size];
        FrameNonce.Write(TrafficKey.Iv(_slot), _counter, nonce);
        fixed (byte* f = frame, n = nonce)
        {
            var text = f + FrameHeader.Size;
            if (Sodium.crypto_aead_chacha20poly1305_ietf_decrypt_detached(
                    text, null, text, (ulong)header.Length, text + header.Length, f, FrameHeader.Size, n, TrafficKey.Key(_slot)) != 0)
            {
                return FrameError.NotAuthentic;
            }
        }

        _counter++;
        plaintext = frame.Slice(FrameHeader.Size, header.Length);
        return FrameError.None;
    }

    public void Dispose() => _arena.Return(ref _slot);
}
