using Streams.Control.Identity;
using Streams.Queue;
using Streams.Services.Registry;
using Streams.Testing;
using Streams.Wire.Crypto;
using Streams.Wire.Handshake;

namespace Streams.Services.Tests.Registry;

/// <summary>Keys that change, copies in quarantine, and a bucket that is made from the rows again.</summary>
[Collection(RegistryCollection.Name)]
public sealed class IdentityTests(RegistryStack stack)
{
    [Fact]
    public async Task Both_keys_are_good_until_the_new_one_was_used()
    {
        using var old = SigningKey.Generate();
        using var next = SigningKey.Generate();
        await stack.EnrolAsync(await stack.CreateTokenAsync("turn-1"), RegistryStack.Text(old));
        var request = RotateRequest.Create("turn-1", old, next);
        var answer = await stack.RotateAsync("turn-1", old, request);
        Assert.Equal(new RotateAnswer(RegistryRefusal.None, RegistryStack.Text(next), 2), answer);
        Assert.Equal(answer, await stack.RotateAsync("turn-1", old, request));
        var both = await stack.Identities.GetAsync("turn-1");
        Assert.Equal((RegistryStack.Text(next), RegistryStack.Text(old)), (both!.PublicKey, both.PreviousKey));
        await stack.BeginSessionAsync("turn-1");
        Assert.Equal([1], await stack.NoticeAsync("turn-1", NoticeKind.NewKeyUsed, old));
        Assert.Equal(RegistryStack.Text(old), (await stack.Identities.GetAsync("turn-1"))!.PreviousKey);
        Assert.Equal([1], await stack.NoticeAsync("turn-1", NoticeKind.NewKeyUsed, next));
        Assert.Equal("", (await stack.Identities.GetAsync("turn-1"))!.PreviousKey);
        await stack.ActionsAsync("turn-1", "enrolled rotated rotated");
    }

    [Fact]
    public async Task A_key_is_changed_by_the_agent_alone()
    {
        using var key = SigningKey.Generate();
        using var next = SigningKey.Generate();
        using var stranger = SigningKey.Generate();
        await stack.EnrolAsync(await stack.CreateTokenAsync("turn-2"), RegistryStack.Text(key));
        // Whoever holds a gateway can say what it likes of the session, and sign with keys of its own only.
        Assert.Equal(
            RegistryRefusal.UnknownAgent, (await stack.RotateAsync("turn-2", stranger, RotateRequest.Create("turn-2", stranger, next))).Refused);
        Assert.Equal(
            RegistryRefusal.BadSignature, (await stack.RotateAsync("turn-2", key, RotateRequest.Create("turn-2", stranger, next))).Refused);
        Assert.Equal(
            RegistryRefusal.BadSignature, (await stack.RotateAsync("turn-2", key, RotateRequest.Create("turn-9", key, next))).Refused);
        Assert.Equal(RegistryStack.Text(key), (await stack.Identities.GetAsync("turn-2"))!.PublicKey);
    }

    [Fact]
    public async Task A_copy_puts_its_agent_into_quarantine_once()
    {
        using var key = SigningKey.Generate();
        await stack.EnrolAsync(await stack.CreateTokenAsync("twin-1"), RegistryStack.Text(key));
        await stack.BeginSessionAsync("twin-1");
        await stack.NoticeAsync("twin-1", NoticeKind.Clone, key);
        await stack.NoticeAsync("twin-1", NoticeKind.Clone, key);
        Assert.Equal(IdentityRecord.Quarantined, (await stack.Identities.GetAsync("twin-1"))!.State);
        await stack.ActionsAsync("twin-1", "enrolled quarantined");
        Assert.Equal("1", await Eventually.ValueAsync(
            () => stack.QueryAsync("SELECT count() FROM system_alert WHERE kind = 'clone' AND subject = 'twin-1'"), count => count != "0", "an alert"));
    }

    [Fact]
    public async Task Neither_of_two_copies_takes_the_name_by_another_key()
    {
        using var key = SigningKey.Generate();
        using var next = SigningKey.Generate();
        using var third = SigningKey.Generate();
        await stack.EnrolAsync(await stack.CreateTokenAsync("twin-2"), RegistryStack.Text(key));
        var request = RotateRequest.Create("twin-2", key, next);
        var before = await stack.RotateAsync("twin-2", key, request);
        await stack.BeginSessionAsync("twin-2");
        await stack.NoticeAsync("twin-2", NoticeKind.Clone, key);
        foreach (var session in new[] { key, next })
        {
            Assert.Equal(RegistryRefusal.AgentQuarantined, (await stack.RotateAsync("twin-2", session, RotateRequest.Create("twin-2", session, third))).Refused);
        }

        var record = await stack.Identities.GetAsync("twin-2");
        Assert.Equal((RegistryStack.Text(next), RegistryStack.Text(key)), (record!.PublicKey, record.PreviousKey));
        Assert.Equal(RegistryRefusal.None, before.Refused);
        Assert.Equal(before.PublicKey, (await stack.RotateAsync("twin-2", key, request)).PublicKey);
        await stack.Identities.ChangeAsync("twin-2", last => last! with { State = IdentityRecord.Active, Action = "released" });
        Assert.Equal(RegistryRefusal.None, (await stack.RotateAsync("twin-2", next, RotateRequest.Create("twin-2", next, third))).Refused);
    }

    [Fact]
    public async Task A_gateway_is_heard_of_the_agents_whose_session_it_holds_alone()
    {
        using var key = SigningKey.Generate();
        using var next = SigningKey.Generate();
        await stack.EnrolAsync(await stack.CreateTokenAsync("held-1"), RegistryStack.Text(key));
        await stack.RotateAsync("held-1", key, RotateRequest.Create("held-1", key, next));
        await stack.NoticeAsync("held-1", NoticeKind.Clone, key);
        await stack.BeginSessionAsync("held-1", "gateway-2");
        await stack.NoticeAsync("held-1", NoticeKind.Clone, key);
        await stack.NoticeAsync("held-1", NoticeKind.NewKeyUsed, next);
        var record = await stack.Identities.GetAsync("held-1");
        Assert.Equal((IdentityRecord.Active, RegistryStack.Text(key)), (record!.State, record.PreviousKey));
        await stack.NoticeAsync("held-1", NoticeKind.Clone, key, "gateway-2");
        Assert.Equal(IdentityRecord.Quarantined, (await stack.Identities.GetAsync("held-1"))!.State);
    }

    [Fact]
    public async Task No_gateway_puts_the_fleet_into_quarantine()
    {
        using var key = SigningKey.Generate();
        // Its places of this hour are not those of other tests.
        await stack.RestartRegistryAsync();
        for (var i = 0; i <= QuarantineLimit.Most; i++)
        {
            await stack.Identities.PutAsync($"flood-{i}", new IdentityRecord(RegistryStack.Text(key), "host", DateTimeOffset.UtcNow));
            await stack.BeginSessionAsync($"flood-{i}");
            await stack.NoticeAsync($"flood-{i}", NoticeKind.Clone, key);
            // Said again it takes no place.
            await stack.NoticeAsync($"flood-{i}", NoticeKind.Clone, key);
        }

        Assert.Equal(IdentityRecord.Quarantined, (await stack.Identities.GetAsync($"flood-{QuarantineLimit.Most - 1}"))!.State);
        Assert.Equal(IdentityRecord.Active, (await stack.Identities.GetAsync($"flood-{QuarantineLimit.Most}"))!.State);
        // Others have theirs again.
        await stack.RestartRegistryAsync();
        await FollowsAsync("flood-end");
    }

    [Fact]
    public async Task What_the_operator_changes_is_a_row_too_also_while_nobody_looks()
    {
        await stack.Registry.DisposeAsync();
        await stack.Identities.PutAsync("hand-1", new IdentityRecord("key", "host", DateTimeOffset.UtcNow, Actor: "alice"));
        await stack.RestartRegistryAsync();
        await stack.ActionsAsync("hand-1", "put");
        await stack.Identities.ChangeAsync("hand-1", last => last! with { State = IdentityRecord.Revoked, Action = "revoked" });
        await stack.ActionsAsync("hand-1", "put revoked");
        // And no row twice.
        await stack.RestartRegistryAsync();
        await stack.Registry.Current;
        await stack.Identities.PutAsync("hand-2", new IdentityRecord("key", "host", DateTimeOffset.UtcNow));
        await stack.ActionsAsync("hand-2", "put");
        await stack.ActionsAsync("hand-1", "put revoked");
    }

    [Fact]
    public async Task A_wiped_queue_knows_all_agents_and_all_revocations_again()
    {
        using var active = SigningKey.Generate();
        using var next = SigningKey.Generate();
        using var revoked = SigningKey.Generate();
        await stack.EnrolAsync(await stack.CreateTokenAsync("wipe-1"), RegistryStack.Text(active));
        await stack.RotateAsync("wipe-1", active, RotateRequest.Create("wipe-1", active, next));
        await stack.EnrolAsync(await stack.CreateTokenAsync("wipe-2"), RegistryStack.Text(revoked));
        await stack.Identities.ChangeAsync("wipe-2", last => last! with { State = IdentityRecord.Revoked, Action = "revoked" });
        await stack.ActionsAsync("wipe-1", "enrolled rotated");
        await stack.ActionsAsync("wipe-2", "enrolled revoked");
        await stack.Nats.RestartAsync(wipe: true);
        var first = await Eventually.ValueAsync(() => FindAsync("wipe-1"), found => found is not null, "wipe-1 is there again", TimeSpan.FromSeconds(40));
        var second = await Eventually.ValueAsync(() => FindAsync("wipe-2"), found => found is not null, "wipe-2 is there again");
        Assert.Equal((RegistryStack.Text(next), RegistryStack.Text(active), IdentityRecord.Active), (first!.PublicKey, first.PreviousKey, first.State));
        Assert.Equal((RegistryStack.Text(revoked), IdentityRecord.Revoked), (second!.PublicKey, second.State));
        await stack.ActionsAsync("wipe-1", "enrolled rotated restored");
        await stack.ActionsAsync("wipe-2", "enrolled revoked restored");
    }

    [Fact]
    public async Task A_wiped_queue_and_one_from_an_older_copy_get_the_list_of_revoked_certificates_again()
    {
        using var root = SigningKey.Generate();
        var list = RevocationList.Create(root, 7, 1, [3, 4]);
        await File.WriteAllTextAsync(stack.RevocationsFile, list.ToText() + "\n");
        await stack.RestartRegistryAsync();
        await Eventually.TrueAsync(async () => (await FindStatementAsync(RevocationStore.List))?.Version == 7, "the list is there");
        await stack.Nats.RestartAsync(wipe: true);
        await Eventually.TrueAsync(async () => (await FindStatementAsync(RevocationStore.List))?.Statement == list.ToText(), "the list is there again", TimeSpan.FromSeconds(40));

        // What is newer in the queue stays, and what is none is not put into it.
        await File.WriteAllTextAsync(stack.RevocationsFile, RevocationList.Create(root, 6, 1, []).ToText());
        await stack.RestartRegistryAsync();
        await stack.Registry.Current;
        Assert.Equal(7UL, (await FindStatementAsync(RevocationStore.List))!.Version);
        await File.WriteAllTextAsync(stack.RevocationsFile, "none");
        await stack.RestartRegistryAsync();
        await stack.Registry.Current;
        Assert.Equal(7UL, (await FindStatementAsync(RevocationStore.List))!.Version);
        File.Delete(stack.RevocationsFile);
        await FollowsAsync("list-end");
    }

    [Fact]
    public async Task A_wiped_queue_gets_the_word_about_the_next_root_again()
    {
        using var root = SigningKey.Generate();
        using var next = SigningKey.Generate();
        var statement = RootSuccession.Create(root, next.PublicKey, 1000);
        await File.WriteAllTextAsync(stack.SuccessionFile, statement.ToText() + "\n");
        await stack.RestartRegistryAsync();
        await Eventually.TrueAsync(async () => (await FindStatementAsync(RevocationStore.Succession))?.Version == 1_000_000, "the statement is there");
        await stack.Nats.RestartAsync(wipe: true);
        await Eventually.TrueAsync(
            async () => (await FindStatementAsync(RevocationStore.Succession))?.Statement == statement.ToText(), "the statement is there again", TimeSpan.FromSeconds(40));

        // What is newer in the queue stays, and what is none is not put into it.
        foreach (var other in new[] { RootSuccession.Create(root, root.PublicKey, 999).ToText(), "none" })
        {
            await File.WriteAllTextAsync(stack.SuccessionFile, other);
            await stack.RestartRegistryAsync();
            await stack.Registry.Current;
            Assert.Equal(statement.ToText(), (await FindStatementAsync(RevocationStore.Succession))!.Statement);
        }

        File.Delete(stack.SuccessionFile);
        await FollowsAsync("succession-end");
    }

    [Fact]
    public async Task Rows_alone_let_nobody_in_while_the_bucket_is_the_same()
    {
        await stack.Registry.Current;
        var columns = "agent_id, agent, action, public_key, serial";
        await stack.QueryAsync($"INSERT INTO agent_identity ({columns}) VALUES ('_services-test', 'forged-1', 'put', 'key', 1)");
        await stack.RestartRegistryAsync();
        await stack.Registry.Current;
        Assert.Null(await stack.Identities.GetAsync("forged-1"));
    }

    [Fact]
    public void A_host_of_another_name_is_no_change_of_key_or_state()
    {
        var last = new IdentityRecord("next", "host-1", DateTimeOffset.UnixEpoch, IdentityRecord.Quarantined, 4, "old", Action: "rotated");
        var moved = IdentityRows.Apply(last, new IdentityRecord("next", "host-2", DateTimeOffset.UtcNow, Serial: 5, Action: "moved", Actor: "alice"));
        Assert.Equal(last with { Host = "host-2", Serial = 5, Action = "moved", Actor = "alice" }, moved);
    }

    // A Registry that was started anew watches the bucket.
    private async Task FollowsAsync(string agentId)
    {
        await stack.Identities.PutAsync(agentId, new IdentityRecord("key", "host", DateTimeOffset.UtcNow));
        await stack.ActionsAsync(agentId, "put");
    }

    private async Task<RevocationRecord?> FindStatementAsync(string key)
    {
        try
        {
            return await stack.StatementAsync(key);
        }
        catch (QueueException)
        {
            return null;
        }
    }

    // The store is away for a moment.
    private async Task<IdentityRecord?> FindAsync(string agentId)
    {
        try
        {
            return await stack.Identities.GetAsync(agentId);
        }
        catch (QueueException)
        {
            return null;
        }
    }
}
