using System.Buffers.Text;
using Streams.Wire.Crypto;
using Streams.Wire.Keys;

namespace Streams.Control.Identity;

/// <summary>
/// <c>agent.registry.enroll</c>, the one request of a session of mode enrol. The key that asks to be let in is the one that the handshake
/// proved; it is not in the document, where it could be another, but the signature is over it (<see cref="EnrolmentKey"/>).
/// </summary>
/// <param name="Token">The token's id.</param>
/// <param name="Signature">By the key that the token's secret derives, base64url.</param>
/// <param name="Host">The host's name: a label, believed as much as any label.</param>
public sealed record EnrolRequest(string Token, string Signature, string Host)
{
    /// <param name="token">Its secret signs and goes nowhere.</param>
    /// <param name="host">1 to 255 bytes.</param>
    /// <param name="agentKey">The public key that is to be let in.</param>
    public static EnrolRequest Create(EnrolmentToken token, string host, ReadOnlySpan<byte> agentKey)
    {
        ArgumentNullException.ThrowIfNull(token);
        using var key = token.DeriveKey();
        Span<byte> signature = stackalloc byte[SigningKey.SignatureSize];
        EnrolmentKey.Sign(key, token.Id, agentKey, host, signature);
        return new EnrolRequest(token.Id, Base64Url.EncodeToString(signature), host);
    }

    /// <summary>Whether form and bounds are kept; says nothing about the signature.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public bool IsValid =>
        EnrolmentToken.IsId(Token) && CanonicalBase64.IsValid(Signature, SigningKey.SignatureSize) && IdentityText.IsHost(Host);

    /// <summary>Whether a valid request was signed by the token's key, for this agent key.</summary>
    /// <param name="tokenKey">As the token's record has it, base64url.</param>
    /// <param name="agentKey">Base64url.</param>
    public bool IsSignedBy(string tokenKey, string agentKey)
    {
        Span<byte> key = stackalloc byte[SigningKey.PublicKeySize];
        Span<byte> agent = stackalloc byte[SigningKey.PublicKeySize];
        Span<byte> signature = stackalloc byte[SigningKey.SignatureSize];
        return IsValid && CanonicalBase64.TryRead(tokenKey, key) && CanonicalBase64.TryRead(agentKey, agent)
            && CanonicalBase64.TryRead(Signature, signature) && EnrolmentKey.Verify(key, Token, agent, Host, signature);
    }
}
