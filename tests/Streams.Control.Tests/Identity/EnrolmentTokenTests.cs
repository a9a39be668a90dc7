using Streams.Control.Identity;
using Streams.Wire.Crypto;

namespace Streams.Control.Tests.Identity;

public sealed class EnrolmentTokenTests
{
    [Fact]
    public void A_token_survives_its_text_and_shows_its_secret_nowhere_else()
    {
        using var root = SigningKey.Generate();
        var token = EnrolmentToken.Create(root.PublicKey);
        Assert.True(EnrolmentToken.TryParse(token.Format(), out var parsed));
        Assert.Equal(token.Id, parsed.Id);
        Assert.Equal(token.Secret.ToArray(), parsed.Secret.ToArray());
        Assert.Equal(root.PublicKey.ToArray(), parsed.Root.ToArray());
        Assert.Equal(token.Id, $"{token}");
    }

    [Fact]
    public void Every_other_spelling_is_refused()
    {
        using var root = SigningKey.Generate();
        var text = EnrolmentToken.Create(root.PublicKey).Format();
        var parts = text.Split('.');
        string[] wrong =
        [
            "", ".", "..", text + ".", "." + text, text + "=", text + "\n", " " + text, parts[0] + "." + parts[1],
            $"{parts[0].ToUpperInvariant()}A.{parts[1]}.{parts[2]}", $"{parts[0][1..]}.{parts[1]}.{parts[2]}",
            $"{parts[0]}.{parts[1][1..]}.{parts[2]}", $"{parts[0]}.{parts[1]}.{parts[2][1..]}", $"{parts[0]}.{parts[1]}+.{parts[2]}",
            // 32 bytes have two bits to spare in 43 characters: whoever sets them spells the same key in another way.
            $"{parts[0]}.{NotCanonical(parts[1])}.{parts[2]}", $"{parts[0]}.{parts[1]}.{NotCanonical(parts[2])}",
            // A root of small order.
            $"{parts[0]}.{parts[1]}.AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        ];
        Assert.All(wrong, other => Assert.False(EnrolmentToken.TryParse(other, out _), other));
    }

    private static string NotCanonical(string text)
    {
        const string Digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        return text[..^1] + Digits[Digits.IndexOf(text[^1]) | 1];
    }
}
