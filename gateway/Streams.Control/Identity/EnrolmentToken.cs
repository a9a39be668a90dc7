using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using Streams.Wire.Crypto;
using Streams.Wire.Keys;

namespace Streams.Control.Identity;

/// <summary>
/// What lets a new agent in: <c>id.secret.root</c>. The root is the fleet root's public key itself, so that the agent can judge the
/// gateway before it asks. The whole text is a secret and stays on the host; the servers keep the public half of the key that its middle derives.
/// </summary>
public sealed class EnrolmentToken
{
    private readonly byte[] _secret;
    private readonly byte[] _root;

    private EnrolmentToken(string id, byte[] secret, byte[] root)
    {
        Id = id;
        _secret = secret;
        _root = root;
    }

    /// <summary>16 lower-case hex digits; no secret.</summary>
    public string Id { get; }

    public ReadOnlySpan<byte> Secret => _secret;

    /// <summary>The key that the secret derives. The caller disposes it.</summary>
    public SigningKey DeriveKey() => EnrolmentKey.Derive(Id, _secret);

    /// <summary>Ed25519 public key of the fleet root.</summary>
    public ReadOnlySpan<byte> Root => _root;

    public static EnrolmentToken Create(ReadOnlySpan<byte> root)
    {
        if (!SigningKey.IsPublicKey(root))
        {
            throw new ArgumentException("not an Ed25519 public key", nameof(root));
        }

        var id = new byte[IdentityLimits.TokenIdLength / 2];
        var secret = new byte[IdentityLimits.SecretSize];
        Entropy.Fill(id);
        Entropy.Fill(secret);
        return new EnrolmentToken(Convert.ToHexStringLower(id), secret, root.ToArray());
    }

    public static bool TryParse(ReadOnlySpan<char> text, [NotNullWhen(true)] out EnrolmentToken? token)
    {
        token = null;
        var first = text.IndexOf('.');
        var last = text.LastIndexOf('.');
        if (first < 0 || last <= first)
        {
            return false;
        }

        var secret = new byte[IdentityLimits.SecretSize];
        var root = new byte[SigningKey.PublicKeySize];
        if (!IsId(text[..first]) || !CanonicalBase64.TryRead(text[(first + 1)..last], secret)
            || !CanonicalBase64.TryRead(text[(last + 1)..], root) || !SigningKey.IsPublicKey(root))
        {
            return false;
        }

        token = new EnrolmentToken(text[..first].ToString(), secret, root);
        return true;
    }

    public static bool IsId(ReadOnlySpan<char> text) =>
        text.Length == IdentityLimits.TokenIdLength && !text.ContainsAnyExcept("0123456789abcdef");

    /// <summary>The text to hand out, once. Deliberately not ToString: a token in a log is a way in.</summary>
    public string Format() => $"{Id}.{Base64Url.EncodeToString(_secret)}.{Base64Url.EncodeToString(_root)}";

    public override string ToString() => Id;
}
