using System.Text;
using Streams.Wire.Crypto;
using Streams.Wire.Messages;

namespace Streams.Wire.Keys;

/// <summary>
/// The Ed25519 key of an enrolment token, seed = HKDF-Expand(secret, "streams/1 enrolment key" ‖ token id, 32): the host signs with it, the registry has the public half.
/// Over <c>token id str8 ‖ agent_pk 32 ‖ host str8</c>: who passes the request on can enrol no other key and name no other host. Nothing of the session is in it, because
/// the registry would know that from the gateway alone; a repeat lets in the same key again, which is no change.
/// </summary>
public static class EnrolmentKey
{
    public const int SecretSize = 32;
    private const int MaxStatement = 1 + MaxTokenId + SigningKey.PublicKeySize + 1 + Limits.MaxHostNameBytes;
    private const int MaxTokenId = 32;

    private static ReadOnlySpan<byte> Label => "streams/1 enrolment key"u8;

    /// <summary>The key of a token. The caller disposes it.</summary>
    /// <param name="tokenId">Printable ASCII, at most 32 bytes.</param>
    /// <param name="secret">32 bytes out of a random source, which is why nothing is extracted first.</param>
    public static SigningKey Derive(string tokenId, ReadOnlySpan<byte> secret)
    {
        ArgumentNullException.ThrowIfNull(tokenId);
        ArgumentOutOfRangeException.ThrowIfNotEqual(secret.Length, SecretSize);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(tokenId.Length, MaxTokenId);
        Span<byte> info = stackalloc byte[Label.Length + MaxTokenId];
        Span<byte> seed = stackalloc byte[SigningKey.SeedSize];
        Label.CopyTo(info);
        var length = Label.Length + Encoding.ASCII.GetBytes(tokenId, info[Label.Length..]);
        Hkdf.Expand(secret, info[..length], seed);
        var key = SigningKey.FromSeed(seed);
        Entropy.Erase(seed);
        return key;
    }

    /// <summary><paramref name="signature"/> takes 64 bytes.</summary>
    public static void Sign(SigningKey key, string tokenId, ReadOnlySpan<byte> agentKey, string host, Span<byte> signature)
    {
        ArgumentNullException.ThrowIfNull(key);
        Span<byte> statement = stackalloc byte[MaxStatement];
        key.Sign(SigningInput.Enrolment, statement[..Write(tokenId, agentKey, host, statement)], signature);
    }

    /// <param name="tokenKey">The public key that was stored with the token.</param>
    /// <param name="host">At most 255 bytes of UTF-8.</param>
    public static bool Verify(
        ReadOnlySpan<byte> tokenKey, string tokenId, ReadOnlySpan<byte> agentKey, string host, ReadOnlySpan<byte> signature)
    {
        Span<byte> statement = stackalloc byte[MaxStatement];
        return Signature.Verify(tokenKey, SigningInput.Enrolment, statement[..Write(tokenId, agentKey, host, statement)], signature);
    }

    private static int Write(string tokenId, ReadOnlySpan<byte> agentKey, string host, Span<byte> statement)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(agentKey.Length, SigningKey.PublicKeySize);
        var writer = new WireWriter(statement);
        writer.Str8(Encoding.ASCII.GetBytes(tokenId));
        writer.Bytes(agentKey);
        writer.Str8(Encoding.UTF8.GetBytes(host));
        return writer.Position;
    }
}
