using Streams.Wire.Crypto;

namespace Streams.Wire.Handshake;

/// <summary>The one or two offline roots that an agent pins: two, so that a root can be replaced without touching hosts.</summary>
public sealed class FleetRoots
{
    /// <summary>root_id = the first 8 bytes of SHA-256(root public key). Only a hint which root to verify with.</summary>
    internal const int IdSize = 8;
    public const int MaxRoots = 2;

    private readonly byte[][] _keys;

    /// <param name="publicKeys">One or two Ed25519 public keys of 32 bytes.</param>
    public FleetRoots(params byte[][] publicKeys)
    {
        ArgumentNullException.ThrowIfNull(publicKeys);
        ArgumentOutOfRangeException.ThrowIfLessThan(publicKeys.Length, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(publicKeys.Length, MaxRoots);
        foreach (var key in publicKeys)
        {
            ArgumentOutOfRangeException.ThrowIfNotEqual(key.Length, SigningKey.PublicKeySize);
        }

        _keys = publicKeys;
    }

    /// <summary>Checks root, signature for that use, and dates of a certificate.</summary>
    /// <param name="now">Unix seconds, or null when this host's clock is known to be bad: then dates are not checked.</param>
    public RefusalReason Verify(FleetCertificate certificate, CertificateUse use, long? now)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        var reason = VerifySignature(certificate.RootId, FleetCertificate.Context(use), certificate.Signed, certificate.RootSignature);
        return reason != RefusalReason.None || now is not { } second ? reason
            : second < certificate.NotBefore ? RefusalReason.CertificateNotYetValid
            : second > certificate.NotAfter ? RefusalReason.CertificateExpired
            : RefusalReason.None;
    }

    /// <summary>The pinned keys, the newest last.</summary>
    public IReadOnlyList<byte[]> Keys => _keys;

    internal ReadOnlySpan<byte> Newest => _keys[^1];

    /// <summary>Whether the pinned root of this id signed the data; UnknownRoot when none is pinned under it.</summary>
    internal RefusalReason VerifySignature(
        ReadOnlySpan<byte> rootId, string context, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        Span<byte> id = stackalloc byte[IdSize];
        foreach (var key in _keys)
        {
            WriteId(key, id);
            if (id.SequenceEqual(rootId))
            {
                return Signature.Verify(key, context, data, signature) ? RefusalReason.None : RefusalReason.BadCertificate;
            }
        }

        return RefusalReason.UnknownRoot;
    }

    internal static void WriteId(ReadOnlySpan<byte> publicKey, Span<byte> id)
    {
        Span<byte> digest = stackalloc byte[Sha256.Size];
        Sha256.Hash(publicKey, digest);
        digest[..IdSize].CopyTo(id);
    }
}
