using Streams.Wire.Crypto;

namespace Streams.Wire.Handshake;

/// <summary>A gateway's key and the certificate for it. Shared by all handshakes; owns the key.</summary>
public sealed class GatewayIdentity : IDisposable
{
    public GatewayIdentity(SigningKey key, FleetCertificate certificate)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(certificate);
        if (!key.PublicKey.SequenceEqual(certificate.PublicKey))
        {
            throw new ArgumentException("the certificate is for another key", nameof(certificate));
        }

        Key = key;
        Certificate = certificate;
    }

    public FleetCertificate Certificate { get; }

    internal SigningKey Key { get; }

    public void Dispose() => Key.Dispose();
}
