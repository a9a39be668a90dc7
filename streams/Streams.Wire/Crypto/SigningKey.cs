using Streams.Wire.Interop;
using Streams.Wire.Keys;

namespace Streams.Wire.Crypto;

/// <summary>
/// An Ed25519 key pair (RFC 8032) whose secret half lives in a locked, guarded arena page. Thread-safe until disposed; the caller
/// disposes it
/// when nothing signs any more.
/// </summary>
public sealed unsafe class SigningKey : IDisposable
{
    public const int SeedSize = 32;
    public const int PublicKeySize = 32;
    public const int SignatureSize = 64;
    internal const int SecretSize = 64;

    private readonly KeyArena _arena;
    private readonly byte[] _publicKey = new byte[PublicKeySize];
    private KeySlot _slot;

    private SigningKey(ReadOnlySpan<byte> seed)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(seed.Length, SeedSize);
        _arena = new KeyArena(1);
        _slot = _arena.Rent();
        fixed (byte* s = seed, p = _publicKey)
        {
            Sodium.crypto_sign_seed_keypair(p, _slot.Pointer, s);
        }
    }

    /// <summary>The key of a 32-byte seed. The caller erases its copy of the seed.</summary>
    public static SigningKey FromSeed(ReadOnlySpan<byte> seed) => new(seed);

    public static SigningKey Generate()
    {
        Span<byte> seed = stackalloc byte[SeedSize];
        Entropy.Fill(seed);
        var key = new SigningKey(seed);
        Entropy.Erase(seed);
        return key;
    }

    public ReadOnlySpan<byte> PublicKey => _publicKey;

    /// <summary>
    /// Whether these 32 bytes may be somebody's public key: a canonical point of the main subgroup, not of small order. A signature under
    /// a key of small order proves nothing, so such a key is never enrolled.
    /// </summary>
    public static bool IsPublicKey(ReadOnlySpan<byte> key)
    {
        fixed (byte* p = key)
        {
            return key.Length == PublicKeySize && Sodium.crypto_core_ed25519_is_valid_point(p) == 1;
        }
    }

    /// <summary>Copies the seed out, for writing a key file. The caller erases it.</summary>
    public void ExportSeed(Span<byte> seed) => new ReadOnlySpan<byte>(Secret(), SeedSize).CopyTo(seed);

    /// <summary>Plain Ed25519 over <paramref name="message"/>; <paramref name="signature"/> takes 64 bytes.</summary>
    internal void SignRaw(ReadOnlySpan<byte> message, Span<byte> signature)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(signature.Length, SignatureSize);
        fixed (byte* m = message, s = signature)
        {
            Sodium.crypto_sign_detached(s, null, m, (ulong)message.Length, Secret());
        }
    }

    internal void Sign(string context, ReadOnlySpan<byte> data, Span<byte> signature)
    {
        Span<byte> input = stackalloc byte[SigningInput.Length(context, data.Length)];
        SignRaw(input[..SigningInput.Write(context, data, input)], signature);
    }

    private byte* Secret()
    {
        ObjectDisposedException.ThrowIf(!_slot.IsRented, this);
        return _slot.Pointer;
    }

    public void Dispose()
    {
        if (_slot.IsRented)
        {
            _arena.Return(ref _slot);
            _arena.Dispose();
        }
    }
}
