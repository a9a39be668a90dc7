using Streams.Control.Identity;
using Streams.Queue;
using Streams.Wire.Crypto;

namespace Streams.Services.Tests.Registry;

/// <summary>Tokens against a real queue: who is let in, as whom, how often, and what is told to who is not.</summary>
[Collection(RegistryCollection.Name)]
public sealed class TokenTests(RegistryStack stack)
{
    [Fact]
    public async Task A_token_lets_one_key_in_and_gives_it_the_same_answer_again()
    {
        using var key = SigningKey.Generate();
        using var other = SigningKey.Generate();
        var token = await stack.CreateTokenAsync("web-1");
        var answer = await stack.EnrolAsync(token, RegistryStack.Text(key));
        Assert.Equal(new EnrolAnswer(RegistryRefusal.None, "web-1", RegistryStack.Text(key), 1), answer);
        Assert.Equal(answer, await stack.EnrolAsync(token, RegistryStack.Text(key)));
        Assert.Equal(RegistryRefusal.TokenUsed, (await stack.EnrolAsync(token, RegistryStack.Text(other))).Refused);
        Assert.Equal("enrolled", await stack.ActionsAsync("web-1", "enrolled"));
        Assert.Equal(
            "web-1\talice\t::ffff:192.0.2.7", await stack.QueryAsync("SELECT agent, actor, source FROM agent_identity WHERE agent = 'web-1'"));
    }

    [Fact]
    public async Task Fifty_at_once_share_a_token_of_ten_uses_exactly_ten_times()
    {
        var keys = Enumerable.Range(0, 50).Select(_ => SigningKey.Generate()).ToList();
        var token = await stack.CreateTokenAsync("", uses: 10, prefix: "image");
        var answers = await Task.WhenAll(keys.Select(key => stack.EnrolAsync(token, RegistryStack.Text(key))));
        var letIn = answers.Where(answer => answer.Refused == RegistryRefusal.None).ToList();
        Assert.Equal(10, letIn.Count);
        Assert.Equal(10, letIn.Select(answer => answer.AgentId).Distinct().Count());
        Assert.All(letIn, answer => Assert.StartsWith("image-", answer.AgentId, StringComparison.Ordinal));
        Assert.All(answers.Except(letIn), answer => Assert.Equal(RegistryRefusal.TokenUsed, answer.Refused));
        foreach (var answer in letIn)
        {
            Assert.Equal(answer.PublicKey, (await stack.Identities.GetAsync(answer.AgentId))!.PublicKey);
        }

        Assert.Equal(10, (await stack.Tokens.GetAsync(token.Id))!.Value.Value.Uses);
        keys.ForEach(key => key.Dispose());
    }

    [Fact]
    public async Task The_crash_after_the_token_was_used_up_costs_nothing()
    {
        using var key = SigningKey.Generate();
        var token = await stack.CreateTokenAsync("crashed-1");
        var entry = (await stack.Tokens.GetAsync(token.Id))!.Value;
        // What the store has when the process died between its two writes.
        await stack.Tokens.TryWriteAsync(
            token.Id, entry.Value with { UsedBy = new Dictionary<string, string> { [RegistryStack.Text(key)] = "crashed-1" } }, entry.Revision);
        Assert.Equal("crashed-1", (await stack.EnrolAsync(token, RegistryStack.Text(key))).AgentId);
        Assert.Equal(RegistryStack.Text(key), (await stack.Identities.GetAsync("crashed-1"))!.PublicKey);
    }

    [Fact]
    public async Task A_wrong_secret_and_an_unknown_token_are_the_same_to_who_tries()
    {
        using var key = SigningKey.Generate();
        var token = await stack.CreateTokenAsync("secret-1");
        var stranger = EnrolmentToken.Create(stack.Root);
        var wrong = RegistryStack.Request(stranger, RegistryStack.Text(key)) with { Token = token.Id };
        Assert.Equal(await stack.EnrolAsync(wrong, RegistryStack.Text(key)), await stack.EnrolAsync(stranger, RegistryStack.Text(key)));
        Assert.Equal(RegistryRefusal.UnknownToken, (await stack.EnrolAsync(wrong, RegistryStack.Text(key))).Refused);
        Assert.Null(await stack.Identities.GetAsync("secret-1"));
    }

    /// <summary>What a captured gateway can say: the host's own request with another key or host, before or after the host was let in.</summary>
    [Fact]
    public async Task A_gateway_that_swaps_the_key_or_the_host_lets_nobody_in_and_uses_up_nothing()
    {
        using var key = SigningKey.Generate();
        using var other = SigningKey.Generate();
        var token = await stack.CreateTokenAsync("", uses: 2, prefix: "swap");
        var request = RegistryStack.Request(token, RegistryStack.Text(key));
        Assert.Equal(RegistryRefusal.UnknownToken, (await stack.EnrolAsync(request, RegistryStack.Text(other))).Refused);
        Assert.Equal(RegistryRefusal.UnknownToken, (await stack.EnrolAsync(request with { Host = "host-2" }, RegistryStack.Text(key))).Refused);
        Assert.Equal(0, (await stack.Tokens.GetAsync(token.Id))!.Value.Value.Uses);
        Assert.Equal(RegistryRefusal.None, (await stack.EnrolAsync(request, RegistryStack.Text(key))).Refused);
        Assert.Equal(RegistryRefusal.UnknownToken, (await stack.EnrolAsync(request, RegistryStack.Text(other))).Refused);
        var further = await stack.CreateTokenAsync("", uses: 2, prefix: "swap");
        Assert.Equal(RegistryRefusal.UnknownToken, (await stack.EnrolAsync(request with { Token = further.Id }, RegistryStack.Text(key))).Refused);
        Assert.Equal(1, (await stack.Tokens.GetAsync(token.Id))!.Value.Value.Uses);
        Assert.Equal(0, (await stack.Tokens.GetAsync(further.Id))!.Value.Value.Uses);
    }

    [Fact]
    public async Task Expired_and_revoked_tokens_let_nobody_in()
    {
        using var key = SigningKey.Generate();
        var expired = await stack.CreateTokenAsync("late-1", life: TimeSpan.FromSeconds(-1));
        Assert.Equal(RegistryRefusal.TokenExpired, (await stack.EnrolAsync(expired, RegistryStack.Text(key))).Refused);
        var revoked = await stack.CreateTokenAsync("late-2");
        var entry = (await stack.Tokens.GetAsync(revoked.Id))!.Value;
        await stack.Tokens.TryWriteAsync(revoked.Id, entry.Value with { Revoked = true }, entry.Revision);
        Assert.Equal(RegistryRefusal.TokenRevoked, (await stack.EnrolAsync(revoked, RegistryStack.Text(key))).Refused);
    }

    [Theory]
    [InlineData("10.1.0.0/16", "10.1.2.3", RegistryRefusal.None)]
    [InlineData("10.1.0.0/16", "::ffff:10.1.2.3", RegistryRefusal.None)]
    [InlineData("10.1.0.0/16", "10.2.2.3", RegistryRefusal.WrongNetwork)]
    [InlineData("2001:db8::/32", "2001:db8::1", RegistryRefusal.None)]
    [InlineData("2001:db8::/32", "10.1.2.3", RegistryRefusal.WrongNetwork)]
    [InlineData("10.1.0.0/16", "unknown", RegistryRefusal.WrongNetwork)]
    public async Task A_token_is_good_where_it_is_bound_to(string network, string source, RegistryRefusal expected)
    {
        using var key = SigningKey.Generate();
        var token = await stack.CreateTokenAsync($"net-{Guid.NewGuid():N}", networks: network);
        Assert.Equal(expected, (await stack.EnrolAsync(token, RegistryStack.Text(key), source)).Refused);
    }

    [Fact]
    public async Task Another_keys_name_is_taken_over_by_a_token_that_replaces_only()
    {
        using var key = SigningKey.Generate();
        using var next = SigningKey.Generate();
        await stack.EnrolAsync(await stack.CreateTokenAsync("taken-1"), RegistryStack.Text(key));
        // The bucket keeps the newest of an agent, so a row that was not told before the next change is none.
        await stack.ActionsAsync("taken-1", "enrolled");
        var plain = await stack.CreateTokenAsync("taken-1");
        Assert.Equal(RegistryRefusal.AgentExists, (await stack.EnrolAsync(plain, RegistryStack.Text(next))).Refused);
        Assert.Equal(0, (await stack.Tokens.GetAsync(plain.Id))!.Value.Value.Uses);
        var replacing = await stack.CreateTokenAsync("taken-1", replace: true);
        Assert.Equal(2UL, (await stack.EnrolAsync(replacing, RegistryStack.Text(next))).Serial);
        Assert.Equal(RegistryStack.Text(next), (await stack.Identities.GetAsync("taken-1"))!.PublicKey);
        await stack.ActionsAsync("taken-1", "enrolled enrolled");
    }

    [Fact]
    public async Task Asking_again_does_not_undo_a_revocation()
    {
        using var key = SigningKey.Generate();
        var token = await stack.CreateTokenAsync("gone-1");
        await stack.EnrolAsync(token, RegistryStack.Text(key));
        await stack.Identities.ChangeAsync("gone-1", last => last! with { State = IdentityRecord.Revoked, Action = "revoked" });
        Assert.Equal(RegistryRefusal.AgentRevoked, (await stack.EnrolAsync(token, RegistryStack.Text(key))).Refused);
        Assert.Equal(IdentityRecord.Revoked, (await stack.Identities.GetAsync("gone-1"))!.State);
    }

    [Theory]
    [InlineData("AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("7v________________________________________38")]
    [InlineData("")]
    public async Task A_key_that_proves_nothing_is_not_let_in(string key)
    {
        var token = await stack.CreateTokenAsync("weak-1");
        Assert.Equal(RegistryRefusal.BadKey, (await stack.EnrolAsync(token, key)).Refused);
        Assert.Equal(0, (await stack.Tokens.GetAsync(token.Id))!.Value.Value.Uses);
    }
}
