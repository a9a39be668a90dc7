using System.Buffers.Text;
using Streams.Wire.Crypto;

namespace Streams.Control.Identity;

/// <summary>
/// <c>agent.registry.enroll</c>, the one request of a session of mode enrol. The key that asks to be let in is the one that the handshake
/// proved; it is not in the document, where it could be another.
/// </summary>
/// <param name="Token">The token's id.</param>
/// <param name="Secret">The token's secret, base64url.</param>
/// <param name="Host">The host's name: a label, believed as much as any label.</param>
public sealed record EnrolRequest(string Token, string Secret, string Host)
{
    public static EnrolRequest Of(EnrolmentToken token, string host)
    {
        ArgumentNullException.ThrowIfNull(token);
        return new EnrolRequest(token.Id, Base64Url.EncodeToString(token.Secret), host);
    }

    /// <summary>The digest of the secret, as it is stored; false when the request breaks a bound.</summary>
    public bool TryDigest(Span<byte> digest)
    {
        Span<byte> secret = stackalloc byte[IdentityLimits.SecretSize];
        if (!EnrolmentToken.IsId(Token) || !CanonicalBase64.TryRead(Secret, secret) || !IdentityText.IsHost(Host))
        {
            return false;
        }

        Sha256.Hash(secret, digest);
        secret.Clear();
        return true;
    }
}
