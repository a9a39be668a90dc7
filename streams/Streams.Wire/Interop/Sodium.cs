using System.Runtime.InteropServices;

namespace Streams.Wire.Interop;

/// <summary>libsodium 1.0.22 as NSec ships it. Every function returns 0 for success and -1 for refusal unless said otherwise.</summary>
internal static unsafe partial class Sodium
{
    private const string Library = "libsodium";

    /// <summary>sizeof(crypto_hash_sha256_state) is 104; rounded up so that a stack buffer of it stays aligned.</summary>
    internal const int Sha256StateBytes = 128;

    static Sodium()
    {
        // 0 = initialised now, 1 = already (NSec in the same process may have done it); both are fine.
        if (sodium_init() < 0)
        {
            throw new InvalidOperationException("libsodium could not be initialised");
        }
    }

    [LibraryImport(Library)]
    private static partial int sodium_init();

    [LibraryImport(Library)]
    internal static partial void sodium_memzero(void* pnt, nuint len);

    [LibraryImport(Library)]
    internal static partial int sodium_memcmp(byte* b1, byte* b2, nuint len);

    [LibraryImport(Library)]
    internal static partial void randombytes_buf(byte* buf, nuint size);

    [LibraryImport(Library)]
    internal static partial int crypto_hash_sha256(byte* @out, byte* @in, ulong inlen);

    [LibraryImport(Library)]
    internal static partial int crypto_hash_sha256_init(byte* state);

    [LibraryImport(Library)]
    internal static partial int crypto_hash_sha256_update(byte* state, byte* @in, ulong inlen);

    [LibraryImport(Library)]
    internal static partial int crypto_hash_sha256_final(byte* state, byte* @out);

    [LibraryImport(Library)]
    internal static partial int crypto_kdf_hkdf_sha256_extract(byte* prk, byte* salt, nuint saltLen, byte* ikm, nuint ikmLen);

    [LibraryImport(Library)]
    internal static partial int crypto_kdf_hkdf_sha256_expand(byte* @out, nuint outLen, byte* ctx, nuint ctxLen, byte* prk);

    [LibraryImport(Library)]
    internal static partial int crypto_sign_seed_keypair(byte* pk, byte* sk, byte* seed);

    [LibraryImport(Library)]
    internal static partial int crypto_sign_detached(byte* sig, ulong* siglen, byte* m, ulong mlen, byte* sk);

    /// <summary>Refuses small-order and non-canonical public keys and S ≥ L.</summary>
    [LibraryImport(Library)]
    internal static partial int crypto_sign_verify_detached(byte* sig, byte* m, ulong mlen, byte* pk);

    /// <summary>1 for a canonical point of the main subgroup that is not of small order, otherwise 0.</summary>
    [LibraryImport(Library)]
    internal static partial int crypto_core_ed25519_is_valid_point(byte* p);

    [LibraryImport(Library)]
    internal static partial int crypto_scalarmult_base(byte* q, byte* n);

    /// <summary>-1 when the result is all zero, i.e. when <paramref name="p"/> has small order.</summary>
    [LibraryImport(Library)]
    internal static partial int crypto_scalarmult(byte* q, byte* n, byte* p);

    /// <summary><paramref name="c"/> may equal <paramref name="m"/>.</summary>
    [LibraryImport(Library)]
    internal static partial int crypto_aead_chacha20poly1305_ietf_encrypt_detached(
        byte* c, byte* mac, ulong* maclen, byte* m, ulong mlen, byte* ad, ulong adlen, byte* nsec, byte* npub, byte* k);

    /// <summary><paramref name="m"/> may equal <paramref name="c"/>; nothing is written when the tag is wrong.</summary>
    [LibraryImport(Library)]
    internal static partial int crypto_aead_chacha20poly1305_ietf_decrypt_detached(
        byte* m, byte* nsec, byte* c, ulong clen, byte* mac, byte* ad, ulong adlen, byte* npub, byte* k);
}
