using System.Runtime.InteropServices;

namespace Streams.Bench.Wire;

/// <summary>libsodium without anything around it: what the wire is measured against. Single thread, seconds of wall clock.</summary>
internal static unsafe partial class BareCrypto
{
    private const string Library = "libsodium";
    private const int KeyBytes = 32;
    private const int SignatureBytes = 64;
    private const int TagBytes = 16;
    private const int NonceBytes = 12;

    /// <summary>Chooses the implementation for this processor; without it libsodium runs its plain C.</summary>
    static BareCrypto() => _ = sodium_init();

    /// <summary>
    /// Seconds of the least that a mutually authenticated handshake costs a server: one verification, one signature, two X25519 (its own
    /// ephemeral key and the agreement).
    /// </summary>
    public static double IdealHandshakeSeconds()
    {
        const int Rounds = 400;
        var seed = new byte[KeyBytes];
        var publicKey = new byte[KeyBytes];
        var secretKey = new byte[SignatureBytes];
        var signature = new byte[SignatureBytes];
        var shared = new byte[KeyBytes];
        var message = new byte[192];
        fixed (byte* s = seed, p = publicKey, k = secretKey, g = signature, z = shared, m = message)
        {
            seed[0] = 1;
            _ = crypto_sign_seed_keypair(p, k, s);
            var best = double.MaxValue;
            for (var round = 0; round < 5; round++)
            {
                var clock = System.Diagnostics.Stopwatch.StartNew();
                for (var i = 0; i < Rounds; i++)
                {
                    _ = crypto_sign_detached(g, null, m, (ulong)message.Length, k);
                    if (crypto_sign_verify_detached(g, m, (ulong)message.Length, p) != 0
                        || crypto_scalarmult_base(z, s) != 0 || crypto_scalarmult(z, s, z) != 0)
                    {
                        throw new InvalidOperationException("libsodium refused its own signature");
                    }
                }

                best = Math.Min(best, clock.Elapsed.TotalSeconds / Rounds);
            }

            return best;
        }
    }

    /// <summary>Seconds to seal and open one message of so many bytes in place with ChaCha20-Poly1305.</summary>
    public static double SealOpenSeconds(int bytes, int rounds)
    {
        var buffer = new byte[bytes + TagBytes];
        var key = new byte[KeyBytes];
        var nonce = new byte[NonceBytes];
        fixed (byte* b = buffer, k = key, n = nonce)
        {
            var clock = System.Diagnostics.Stopwatch.StartNew();
            for (var i = 0; i < rounds; i++)
            {
                *(int*)n = i;
                _ = crypto_aead_chacha20poly1305_ietf_encrypt_detached(b, b + bytes, null, b, (ulong)bytes, null, 0, null, n, k);
                if (crypto_aead_chacha20poly1305_ietf_decrypt_detached(b, null, b, (ulong)bytes, b + bytes, null, 0, n, k) != 0)
                {
                    throw new InvalidOperationException("libsodium refused its own tag");
                }
            }

            return clock.Elapsed.TotalSeconds / rounds;
        }
    }

    [LibraryImport(Library)]
    private static partial int sodium_init();

    [LibraryImport(Library)]
    private static partial int crypto_sign_seed_keypair(byte* publicKey, byte* secretKey, byte* seed);

    [LibraryImport(Library)]
    private static partial int crypto_sign_detached(byte* signature, ulong* length, byte* message, ulong messageLength, byte* secretKey);

    [LibraryImport(Library)]
    private static partial int crypto_sign_verify_detached(byte* signature, byte* message, ulong messageLength, byte* publicKey);

    [LibraryImport(Library)]
    private static partial int crypto_scalarmult_base(byte* q, byte* n);

    [LibraryImport(Library)]
    private static partial int crypto_scalarmult(byte* q, byte* n, byte* p);

    [LibraryImport(Library)]
    private static partial int crypto_aead_chacha20poly1305_ietf_encrypt_detached(
        byte* c, byte* mac, ulong* macLength, byte* m, ulong mLength, byte* ad, ulong adLength, byte* nsec, byte* npub, byte* k);

    [LibraryImport(Library)]
    private static partial int crypto_aead_chacha20poly1305_ietf_decrypt_detached(
        byte* m, byte* nsec, byte* c, ulong cLength, byte* mac, byte* ad, ulong adLength, byte* npub, byte* k);
}
