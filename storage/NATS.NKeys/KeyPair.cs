using System.Security.Cryptography;
using NSec.Cryptography;

namespace NATS.NKeys;

/// <summary>
/// An Ed25519 key of NATS, made from a seed (signs and verifies) or from a public key (verifies). The members and their signatures are
/// those
/// of the NATS.NKeys package, because NATS.Client.Core is compiled against them.
/// </summary>
public sealed class KeyPair : IDisposable
{
    private readonly PrefixByte _prefix;
    private readonly PublicKey _publicKey;
    private readonly string _publicText;
    private Key? _key;

    private KeyPair(PrefixByte prefix, Key? key, PublicKey publicKey)
    {
        _prefix = prefix;
        _key = key;
        _publicKey = publicKey;
        _publicText = NKeyText.EncodePublic(prefix, publicKey.Export(KeyBlobFormat.RawPublicKey));
    }

    /// <summary>Draws a new key of the given kind.</summary>
    /// <exception cref="NKeysException">The kind has no Ed25519 key (seed, private, curve).</exception>
    public static KeyPair CreatePair(PrefixByte prefix)
    {
        if (!NKeyText.IsPublicKind(prefix))
            throw new NKeysException($"No key pair of kind {prefix} can be made.");
        Span<byte> seed = stackalloc byte[NKeyText.KeySize];
        RandomNumberGenerator.Fill(seed);
        return Import(prefix, seed);
    }

    /// <summary>The key pair of an encoded seed (58 characters, first letter S).</summary>
    /// <exception cref="NKeysException">The text is not a seed.</exception>
    public static KeyPair FromSeed(ReadOnlySpan<char> encodedSeed)
    {
        Span<byte> seed = stackalloc byte[NKeyText.KeySize];
        var prefix = NKeyText.DecodeSeed(encodedSeed, seed);
        return Import(prefix, seed);
    }

    /// <summary>A key that can only verify, from an encoded public key (56 characters).</summary>
    /// <exception cref="NKeysException">The text is not a public key.</exception>
    public static KeyPair FromPublicKey(ReadOnlySpan<char> encodedPublicKey)
    {
        Span<byte> raw = stackalloc byte[NKeyText.KeySize];
        var prefix = NKeyText.DecodePublic(encodedPublicKey, raw);
        if (!PublicKey.TryImport(SignatureAlgorithm.Ed25519, raw, KeyBlobFormat.RawPublicKey, out var publicKey))
            throw new NKeysException("The public key is not a point that Ed25519 accepts.");
        return new KeyPair(prefix, null, publicKey!);
    }

    /// <summary>The encoded public key; also valid after <see cref="Wipe"/>.</summary>
    public string GetPublicKey() => _publicText;

    /// <summary>The encoded seed: a secret.</summary>
    /// <exception cref="NKeysException">The pair holds no private key.</exception>
    public string GetSeed()
    {
        var seed = PrivateKey().Export(KeyBlobFormat.RawPrivateKey);
        try
        {
            return NKeyText.EncodeSeed(_prefix, seed);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(seed);
        }
    }

    /// <summary>Signs <paramref name="message"/> into <paramref name="signature"/>, which must be exactly 64 bytes long.</summary>
    /// <exception cref="NKeysException">The pair holds no private key, or the destination has another length.</exception>
    public void Sign(ReadOnlyMemory<byte> message, Memory<byte> signature)
    {
        if (signature.Length != SignatureAlgorithm.Ed25519.SignatureSize)
            throw new NKeysException($"An Ed25519 signature has 64 bytes, the destination has {signature.Length}.");
        SignatureAlgorithm.Ed25519.Sign(PrivateKey(), message.Span, signature.Span);
    }

    /// <summary>Whether <paramref name="signature"/> is this key's signature of <paramref name="message"/>.</summary>
    public bool Verify(ReadOnlyMemory<byte> message, ReadOnlyMemory<byte> signature) =>
        SignatureAlgorithm.Ed25519.Verify(_publicKey, message.Span, signature.Span);

    /// <summary>Erases the private key. Signing fails from then on.</summary>
    public void Wipe() => Interlocked.Exchange(ref _key, null)?.Dispose();

    /// <inheritdoc cref="Wipe"/>
    public void Dispose() => Wipe();

    private static KeyPair Import(PrefixByte prefix, Span<byte> seed)
    {
        try
        {
            // libsodium keeps the key in guarded memory and zeroes it when freed; exporting is needed for GetSeed.
            var key = Key.Import(SignatureAlgorithm.Ed25519, seed, KeyBlobFormat.RawPrivateKey,
                new KeyCreationParameters { ExportPolicy = KeyExportPolicies.AllowPlaintextExport });
            return new KeyPair(prefix, key, key.PublicKey);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(seed);
        }
    }

    private Key PrivateKey() => _key ?? throw new NKeysException("This key pair holds no private key (made from a public key, or wiped).");
}
