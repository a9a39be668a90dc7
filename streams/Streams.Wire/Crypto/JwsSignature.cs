using Streams.Wire.Handshake;

namespace Streams.Wire.Crypto;

/// <summary>
/// Plain Ed25519 as RFC 8037 has it for <c>alg: EdDSA</c>, with the gateway's key. A JWS signing input begins with base64url, everything else that this key signs
/// with 64 spaces: no signature of one kind can be passed off as one of the other.
/// </summary>
public static class JwsSignature
{
    public const string Algorithm = "EdDSA";

    /// <exception cref="ArgumentException">The input could be another thing that the key signs.</exception>
    public static void Sign(GatewayIdentity identity, ReadOnlySpan<byte> input, Span<byte> signature)
    {
        ArgumentNullException.ThrowIfNull(identity);
        if (input.IsEmpty || input[0] == (byte)' ')
        {
            throw new ArgumentException("not a JWS signing input", nameof(input));
        }

        identity.Key.SignRaw(input, signature);
    }

    public static bool Verify(ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> input, ReadOnlySpan<byte> signature) =>
        Signature.VerifyRaw(publicKey, input, signature);
}
