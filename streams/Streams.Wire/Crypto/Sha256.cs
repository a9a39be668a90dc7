using Streams.Wire.Interop;

namespace Streams.Wire.Crypto;

/// <summary>SHA-256 over libsodium: System.Security.Cryptography would load OpenSSL into the agent.</summary>
public static unsafe class Sha256
{
    public const int Size = 32;

    /// <param name="digest">At least 32 bytes.</param>
    public static void Hash(ReadOnlySpan<byte> data, Span<byte> digest) => Hash(data, default, digest);

    /// <summary>Digest of the concatenation of both parts.</summary>
    public static void Hash(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, Span<byte> digest)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(digest.Length, Size);
        var state = stackalloc byte[Sodium.Sha256StateBytes];
        fixed (byte* a = first, b = second, d = digest)
        {
            Sodium.crypto_hash_sha256_init(state);
            Sodium.crypto_hash_sha256_update(state, a, (ulong)first.Length);
            Sodium.crypto_hash_sha256_update(state, b, (ulong)second.Length);
            Sodium.crypto_hash_sha256_final(state, d);
        }
    }
}
