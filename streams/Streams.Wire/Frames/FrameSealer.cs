using Streams.Wire.Interop;
using Streams.Wire.Keys;

namespace Streams.Wire.Frames;

/// <summary>
/// Seals the frames of one direction of one session: counters, rekeying, AEAD. Allocates nothing per frame. Not thread-safe: one sender
/// per direction, and
/// the owner disposes it only when that sender has stopped (a slot that is given back belongs to another session).
/// </summary>
public sealed unsafe class FrameSealer : IDisposable
{
    private readonly KeyArena _arena;
    private readonly TimeProvider _time;
    private KeySlot _slot;
    private long _keyStarted;
    private bool _named;

    public FrameSealer(SessionKeys keys, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(keys);
        ArgumentNullException.ThrowIfNull(time);
        _arena = keys.Arena;
        _slot = keys.TakeSend();
        _time = time;
        _keyStarted = time.GetTimestamp();
    }

    /// <summary>key_epoch of the next frame, unless that frame is the one that rekeys.</summary>
    public uint KeyEpoch { get; private set; }

    /// <summary>Counter of the next frame under the current key.</summary>
    public ulong Counter { get; private set; }

    /// <summary>
    /// Seals in place. <paramref name="frame"/> holds the plaintext at offset <see cref="FrameHeader.Size"/> and has room for the tag
    /// behind it.
    /// </summary>
    /// <returns>Length of the whole frame, from the start of <paramref name="frame"/>.</returns>
    public int Seal(FrameType type, LaneClass laneClass, Span<byte> frame, int plaintextLength)
    {
        ObjectDisposedException.ThrowIf(!_slot.IsRented, this);
        ArgumentOutOfRangeException.ThrowIfNegative(plaintextLength);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(plaintextLength,
            type == FrameType.Data ? Limits.MaxPlaintextBytes : Limits.MaxControlFrameBytes - FrameHeader.Overhead);
        ArgumentOutOfRangeException.ThrowIfLessThan(frame.Length, plaintextLength + FrameHeader.Overhead);
        if (!_named)
        {
            RekeyWhenDue();
        }

        _named = false;
        new FrameHeader(type, 0, laneClass, KeyEpoch, Counter, plaintextLength).Write(frame);
        Span<byte> nonce = stackalloc byte[FrameNonce.Size];
        FrameNonce.Write(TrafficKey.Iv(_slot), Counter, nonce);
        fixed (byte* f = frame, n = nonce)
        {
            var text = f + FrameHeader.Size;
            Sodium.crypto_aead_chacha20poly1305_ietf_encrypt_detached(
                text, text + plaintextLength, null, text, (ulong)plaintextLength, f, FrameHeader.Size, null, n, TrafficKey.Key(_slot));
        }

        Counter++;
        return plaintextLength + FrameHeader.Overhead;
    }

    /// <summary>Copies <paramref name="plaintext"/> into <paramref name="frame"/> and seals it there.</summary>
    public int Seal(FrameType type, LaneClass laneClass, ReadOnlySpan<byte> plaintext, Span<byte> frame)
    {
        plaintext.CopyTo(frame[FrameHeader.Size..]);
        return Seal(type, laneClass, frame, plaintext.Length);
    }

    /// <summary>
    /// What the header of the next frame will say, for a signature inside it. The key does not change between this and the frame, even if it comes of age
    /// in between.
    /// </summary>
    public (uint KeyEpoch, ulong Counter) NameNext()
    {
        if (!_named)
        {
            RekeyWhenDue();
            _named = true;
        }

        return (KeyEpoch, Counter);
    }

    private void RekeyWhenDue()
    {
        if (Counter >= Limits.MaxFramesPerKey || _time.GetElapsedTime(_keyStarted).Ticks >= Limits.MaxKeySeconds * TimeSpan.TicksPerSecond)
        {
            Rekey();
        }
    }

    /// <summary>Raises key_epoch for the next frame. Called by itself after 2^20 frames or 120 s.</summary>
    internal void Rekey()
    {
        TrafficKey.Advance(_slot);
        KeyEpoch = checked(KeyEpoch + 1);
        Counter = 0;
        _keyStarted = _time.GetTimestamp();
    }

    public void Dispose() => _arena.Return(ref _slot);
}
