using Streams.Wire.Interop;
using Streams.Wire.Keys;

namespace Streams.Wire.Crypto;

/// <summary>
/// An X25519 key pair (RFC 7748) for one connection, its secret in an arena slot. A gateway makes them ahead of time, off the path of a
/// connection. Not
/// thread-safe; agreed at most once and erased by that.
/// </summary>
public sealed unsafe class EphemeralKey : IDisposable
{
    public const int Size = 32;

    private readonly KeyArena _arena;
    private readonly byte[] _publicKey = new byte[Size];
    private KeySlot _slot;

    private EphemeralKey(KeyArena arena, KeySlot slot)
    {
        _arena = arena;
        _slot = slot;
    }

    /// <summary>A fresh pair, or null when the arena has no free slot.</summary>
    public static EphemeralKey? TryGenerate(KeyArena arena)
    {
        Span<byte> secret = stackalloc byte[Size];
        Entropy.Fill(secret);
        var key = TryFromSecret(arena, secret);
        Entropy.Erase(secret);
        return key;
    }

    internal static EphemeralKey? TryFromSecret(KeyArena arena, ReadOnlySpan<byte> secret)
    {
        ArgumentNullException.ThrowIfNull(arena);
        if (!arena.TryRent(out var slot))
        {
            return null;
        }

        var key = new EphemeralKey(arena, slot);
        secret.CopyTo(new Span<byte>(slot.Pointer, Size));
        fixed (byte* p = key._publicKey)
        {
            Sodium.crypto_scalarmult_base(p, slot.Pointer);
        }

        return key;
    }

    public ReadOnlySpan<byte> PublicKey => _publicKey;

    /// <summary>Z = X25519(secret, peer), false when it is all zero (a peer key of small order). Erases the secret either way.</summary>
    internal bool TryAgree(ReadOnlySpan<byte> peer, Span<byte> shared)
    {
        ObjectDisposedException.ThrowIf(!_slot.IsRented, this);
        ArgumentOutOfRangeException.ThrowIfNotEqual(peer.Length, Size);
        ArgumentOutOfRangeException.ThrowIfLessThan(shared.Length, Size);
        fixed (byte* p = peer, z = shared)
        {
            var agreed = Sodium.crypto_scalarmult(z, _slot.Pointer, p) == 0;
            Dispose();
            return agreed;
        }
    }

    public void Dispose()
    {
        if (_slot.IsRented)
        {
            _arena.Return(ref _slot);
        }
    }
}
