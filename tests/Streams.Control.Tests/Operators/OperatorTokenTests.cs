using Streams.Control.Operators;

namespace Streams.Control.Tests.Operators;

public sealed class OperatorTokenTests
{
    [Fact]
    public void A_token_is_known_by_its_hash_and_shows_no_secret_by_accident()
    {
        var token = OperatorToken.NewRandom();
        Assert.True(OperatorToken.TryParse(token.Reveal(), out var read));
        Assert.Equal(token.Id, read.Id);
        Assert.True(read.Matches(token.Hash()));
        Assert.False(OperatorToken.NewRandom().Matches(token.Hash()));
        Assert.False(read.Matches(""));
        Assert.DoesNotContain(token.Reveal().Split('.')[2], $"{token} {token.Hash()}", StringComparison.Ordinal);
    }

    [Fact]
    public void Anything_else_is_no_token()
    {
        var text = OperatorToken.NewRandom().Reveal();
        foreach (var broken in new[]
        {
            null, "", text[..^1], text + "A", text.Replace('.', '-'), text.Replace("streams-token", "Streams-token", StringComparison.Ordinal),
            text[..14] + "G" + text[15..], text[..^3] + "!!!",
        })
        {
            Assert.False(OperatorToken.TryParse(broken, out _), broken);
        }
    }
}
