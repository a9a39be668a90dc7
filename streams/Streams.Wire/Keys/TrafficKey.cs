using Streams.Wire.Crypto;

namespace Streams.Wire.Keys;

/// <summary>
/// The key material of one direction inside its arena slot: <c>key 32 ‖ iv 12 ‖ 4 unused ‖ s[e+1] 32</c>. s[e] is erased as soon as it
/// has given those three
/// (forward secrecy inside the session).
/// </summary>
internal static unsafe class TrafficKey
{
    private const int IvOffset = 32;
    private const int NextOffset = 48;

    internal static byte* Key(KeySlot slot) => slot.Pointer;

    internal static ReadOnlySpan<byte> Iv(KeySlot slot) => new(slot.Pointer + IvOffset, KeySchedule.IvSize);

    /// <summary>Fills the slot from the direction's secret of epoch e.</summary>
    internal static void Install(KeySlot slot, ReadOnlySpan<byte> secret)
    {
        // The secret may be the slot's own "next": all three outputs are derived before any of it is overwritten.
        Span<byte> derived = stackalloc byte[KeySchedule.KeySize + KeySchedule.IvSize + KeySchedule.SecretSize];
        var key = derived[..KeySchedule.KeySize];
        var iv = derived.Slice(KeySchedule.KeySize, KeySchedule.IvSize);
        var next = derived[(KeySchedule.KeySize + KeySchedule.IvSize)..];
        Hkdf.Expand(secret, "key"u8, key);
        Hkdf.Expand(secret, "iv"u8, iv);
        Hkdf.Expand(secret, "next"u8, next);
        key.CopyTo(new Span<byte>(slot.Pointer, KeySchedule.KeySize));
        iv.CopyTo(new Span<byte>(slot.Pointer + IvOffset, KeySchedule.IvSize));
        next.CopyTo(new Span<byte>(slot.Pointer + NextOffset, KeySchedule.SecretSize));
        Entropy.Erase(derived);
    }

    /// <summary>Steps to key_epoch e + 1; the old key cannot be recovered afterwards.</summary>
    internal static void Advance(KeySlot slot) => Install(slot, new ReadOnlySpan<byte>(slot.Pointer + NextOffset, KeySchedule.SecretSize));
}
