using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Streams.Wire.Crypto;

namespace Streams.Control.Operators;

/// <summary>
/// A bearer token: <c>streams-token.{id}.{secret}</c>, the id 16 hex digits, the secret 32 random bytes in base64url. Shown once; what is
/// stored is SHA-256 of the secret, which needs no slow hash because the secret is random.
/// </summary>
public sealed class OperatorToken
{
    public const int IdLength = 16;
    private const string Prefix = "streams-token.";
    private const int SecretSize = 32;
    private const int SecretLength = 43;

    private readonly byte[] _secret;

    private OperatorToken(string id, byte[] secret)
    {
        Id = id;
        _secret = secret;
    }

    /// <summary>Names the token in lists, logs and the audit; no secret.</summary>
    public string Id { get; }

    public static OperatorToken NewRandom()
    {
        var id = new byte[IdLength / 2];
        var secret = new byte[SecretSize];
        Entropy.Fill(id);
        Entropy.Fill(secret);
        return new OperatorToken(Convert.ToHexStringLower(id), secret);
    }

    public static bool TryParse(string? text, [NotNullWhen(true)] out OperatorToken? token)
    {
        token = null;
        if (text is null || text.Length != Prefix.Length + IdLength + 1 + SecretLength || !text.StartsWith(Prefix, StringComparison.Ordinal)
            || text[Prefix.Length + IdLength] != '.')
        {
            return false;
        }

        var id = text.Substring(Prefix.Length, IdLength);
        var secret = new byte[SecretSize];
        var encoded = text.AsSpan(Prefix.Length + IdLength + 1);
        if (!IsId(id) || !Base64Url.IsValid(encoded) || !Base64Url.TryDecodeFromChars(encoded, secret, out var written) || written != SecretSize)
        {
            return false;
        }

        token = new OperatorToken(id, secret);
        return true;
    }

    public static bool IsId([NotNullWhen(true)] string? id) =>
        id is { Length: IdLength } && !id.AsSpan().ContainsAnyExcept("0123456789abcdef");

    /// <summary>What is stored: base64url of SHA-256(secret).</summary>
    public string Hash()
    {
        Span<byte> digest = stackalloc byte[Sha256.Size];
        Sha256.Hash(_secret, digest);
        return Base64Url.EncodeToString(digest);
    }

    /// <summary>Whether this is the token with the stored hash, in a time that does not depend on where they differ.</summary>
    public bool Matches(string hash)
    {
        ArgumentNullException.ThrowIfNull(hash);
        return Entropy.Equal(Encoding.ASCII.GetBytes(Hash()), Encoding.ASCII.GetBytes(hash));
    }

    /// <summary>The secret text: for the one who is given it, once.</summary>
    public string Reveal() => $"{Prefix}{Id}.{Base64Url.EncodeToString(_secret)}";

    /// <summary>Without the secret: it must not get into a log by accident.</summary>
    public override string ToString() => Prefix + Id;
}
