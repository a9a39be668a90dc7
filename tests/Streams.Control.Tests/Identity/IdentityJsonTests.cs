using System.Buffers.Text;
using System.Text;
using Streams.Control.Identity;
using Streams.Wire.Crypto;

namespace Streams.Control.Tests.Identity;

public sealed class IdentityJsonTests
{
    [Theory]
    [InlineData("""{"token":"0123456789abcdef","signature":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","host":"web"}""", true)]
    [InlineData("""{"token":"0123456789abcdef","signature":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","host":"web","more":1}""", false)]
    [InlineData("""{"token":"0123456789abcdef","signature":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","host":"web","host":"db"}""", false)]
    [InlineData("""{"token":"0123456789abcdef","signature":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}""", false)]
    [InlineData("""{"token":"0123456789abcdef","signature":null,"host":"web"}""", false)]
    [InlineData("""{"Token":"0123456789abcdef","signature":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","host":"web"}""", false)]
    [InlineData("""{"token":"0123456789abcdef","signature":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","host":"web"} """, true)]
    [InlineData("""{"token":"0123456789abcdef","signature":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","host":"web"}{}""", false)]
    [InlineData("null", false)]
    [InlineData("[]", false)]
    [InlineData("", false)]
    public void Only_the_document_itself_is_read(string json, bool read) =>
        Assert.Equal(read, IdentityJson.TryRead(Encoding.UTF8.GetBytes(json), IdentityJson.Default.EnrolRequest, out _));

    [Fact]
    public void A_document_of_more_than_its_bytes_is_not_parsed()
    {
        var json = $$"""{"token":"0123456789abcdef","signature":"","host":"{{new string('a', IdentityLimits.MaxDocumentBytes)}}"}""";
        Assert.False(IdentityJson.TryRead(Encoding.UTF8.GetBytes(json), IdentityJson.Default.EnrolRequest, out _));
    }

    [Theory]
    [InlineData("web", true)]
    [InlineData("ünï", true)]
    [InlineData("", false)]
    [InlineData("a\nb", false)]
    [InlineData("a\u009bb", false)]
    public void A_host_is_a_name_that_a_terminal_can_show(string host, bool valid) => Assert.Equal(valid, IdentityText.IsHost(host));

    // Not a case above: xunit cannot carry half a character.
    [Fact]
    public void Half_a_character_is_no_host() => Assert.False(IdentityText.IsHost("a\ud800b"));

    [Fact]
    public void A_refusal_is_a_word()
    {
        var json = IdentityJson.Write(EnrolAnswer.Refuse(RegistryRefusal.TokenUsed), IdentityJson.Default.EnrolAnswer);
        Assert.Equal("""{"refused":"token_used","agent_id":"","public_key":"","serial":0}""", Encoding.UTF8.GetString(json));
        Assert.True(IdentityJson.TryRead(json, IdentityJson.Default.EnrolAnswer, out var answer));
        Assert.Equal(RegistryRefusal.TokenUsed, answer.Refused);
    }

    [Fact]
    public void An_enrolment_is_signed_for_one_token_key_and_host_and_has_no_secret()
    {
        using var root = SigningKey.Generate();
        using var agent = SigningKey.Generate();
        var token = EnrolmentToken.Create(root.PublicKey);
        using var key = token.DeriveKey();
        var (tokenKey, agentKey) = (Base64Url.EncodeToString(key.PublicKey), Base64Url.EncodeToString(agent.PublicKey));
        var request = EnrolRequest.Create(token, "web", agent.PublicKey);
        Assert.True(request.IsSignedBy(tokenKey, agentKey));
        Assert.False(request.IsSignedBy(tokenKey, tokenKey));
        Assert.False(request.IsSignedBy(agentKey, agentKey));
        Assert.False((request with { Host = "db" }).IsSignedBy(tokenKey, agentKey));
        Assert.False((request with { Token = new string('0', IdentityLimits.TokenIdLength) }).IsSignedBy(tokenKey, agentKey));
        Assert.False((request with { Signature = request.Signature + "=" }).IsValid);
        Assert.DoesNotContain(
            Base64Url.EncodeToString(token.Secret), Encoding.UTF8.GetString(IdentityJson.Write(request, IdentityJson.Default.EnrolRequest)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_rotation_is_judged_by_the_key_that_the_agent_has()
    {
        using var old = SigningKey.Generate();
        using var next = SigningKey.Generate();
        var request = RotateRequest.Create("web-1", old, next);
        Assert.Equal(RegistryRefusal.None, request.Judge("web-1", old.PublicKey));
        Assert.Equal(RegistryRefusal.BadSignature, request.Judge("web-1", next.PublicKey));
        Assert.Equal(RegistryRefusal.BadSignature, request.Judge("web-2", old.PublicKey));
        Assert.Equal(RegistryRefusal.Malformed, (request with { NewSignature = request.NewSignature + "=" }).Judge("web-1", old.PublicKey));
        Assert.Equal(
            RegistryRefusal.BadKey,
            (request with { PublicKey = "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" }).Judge("web-1", old.PublicKey));
    }
}
