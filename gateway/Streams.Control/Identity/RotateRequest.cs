using System.Buffers.Text;
using Streams.Wire.Crypto;
using Streams.Wire.Keys;

namespace Streams.Control.Identity;

/// <summary><c>agent.registry.rotate</c>: the agent's next key, signed by it and by the present one (<see cref="KeyRotation"/>).</summary>
/// <param name="PublicKey">The next key, base64url, like the rest.</param>
public sealed record RotateRequest(string PublicKey, string OldSignature, string NewSignature)
{
    public static RotateRequest Create(string agentId, SigningKey old, SigningKey next)
    {
        ArgumentNullException.ThrowIfNull(old);
        ArgumentNullException.ThrowIfNull(next);
        Span<byte> byOld = stackalloc byte[SigningKey.SignatureSize];
        Span<byte> byNew = stackalloc byte[SigningKey.SignatureSize];
        KeyRotation.Sign(old, agentId, old.PublicKey, next.PublicKey, byOld);
        KeyRotation.Sign(next, agentId, old.PublicKey, next.PublicKey, byNew);
        return new RotateRequest(Base64Url.EncodeToString(next.PublicKey), Base64Url.EncodeToString(byOld), Base64Url.EncodeToString(byNew));
    }

    /// <summary>Judges the request of the agent that has this key now.</summary>
    public RegistryRefusal Judge(string agentId, ReadOnlySpan<byte> oldKey)
    {
        Span<byte> next = stackalloc byte[SigningKey.PublicKeySize];
        Span<byte> byOld = stackalloc byte[SigningKey.SignatureSize];
        Span<byte> byNew = stackalloc byte[SigningKey.SignatureSize];
        return !CanonicalBase64.TryRead(PublicKey, next) || !CanonicalBase64.TryRead(OldSignature, byOld)
            || !CanonicalBase64.TryRead(NewSignature, byNew) ? RegistryRefusal.Malformed
            : !SigningKey.IsPublicKey(next) ? RegistryRefusal.BadKey
            : KeyRotation.Verify(agentId, oldKey, next, byOld, byNew) ? RegistryRefusal.None
            : RegistryRefusal.BadSignature;
    }
}
