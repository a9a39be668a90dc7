using Streams.Testing;

namespace Streams.Queue.Tests;

public sealed class StoreTests
{
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(1500);

    [Fact]
    public async Task Generation_rises_and_a_stale_write_loses()
    {
        await using var nats = await NatsProcess.StartAsync();
        await using var worker = await nats.OpenAsync(QueueRole.Worker);
        await Topology.CreateAsync(worker, Servers.Small());
        await using var gateway = await nats.OpenAsync(QueueRole.Gateway);
        var store = await SessionStore.OpenAsync(gateway);
        var record = new SessionRecord(0, "gw-1", Messages.Epoch.ToString(), DateTimeOffset.UtcNow, "host", "127.0.0.1");

        Assert.Null(await store.GetAsync("agent-1"));
        var first = (await store.AdvanceAsync("agent-1", record)).Generation;
        var read = (await store.GetAsync("agent-1"))!.Value;
        Assert.True((await store.AdvanceAsync("agent-1", record with { Gateway = "gw-2" })).Generation > first);
        Assert.Null(await store.TryWriteAsync("agent-1", read.Value with { Gateway = "" }, read.Revision));
        Assert.Equal("gw-2", (await store.GetAsync("agent-1"))!.Value.Value.Gateway);

        // Twenty at once: every generation is given once.
        var all = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => store.AdvanceAsync("agent-1", record)));
        Assert.Equal(20, all.Select(next => next.Generation).Distinct().Count());
        Assert.All(all, next => Assert.True(next.Generation > first));
    }

    [Fact]
    public async Task Watch_shows_what_is_there_and_what_comes()
    {
        await using var nats = await NatsProcess.StartAsync();
        await using var worker = await nats.OpenAsync(QueueRole.Worker);
        await Topology.CreateAsync(worker, Servers.Small());
        await using var gateway = await nats.OpenAsync(QueueRole.Gateway);
        await using var person = await nats.OpenAsync(QueueRole.Operator);
        var identities = await IdentityStore.OpenAsync(person);
        var record = new IdentityRecord("key-1", "host-1", DateTimeOffset.UtcNow);

        await using (var empty = await IdentityCache.OpenAsync(await IdentityStore.OpenAsync(gateway)))
            Assert.Equal(0, empty.Count);
        await identities.PutAsync("agent-1", record);
        await using var cache = await IdentityCache.OpenAsync(await IdentityStore.OpenAsync(gateway));
        Assert.True(cache.TryGet("agent-1", out var found));
        Assert.Equal("key-1", found.PublicKey);

        await identities.PutAsync("agent-2", record with { PublicKey = "key-2" });
        await identities.RemoveAsync("agent-1");
        await Eventually.TrueAsync(() => cache.TryGet("agent-2", out _) && !cache.TryGet("agent-1", out _), "the cache follows");
        Assert.Null(await identities.GetAsync("agent-1"));

        await nats.KillAsync();
        Assert.True(cache.TryGet("agent-2", out _));
        await nats.RestartAsync();
        await identities.PutAsync("agent-3", record);
        await Eventually.TrueAsync(() => cache.TryGet("agent-3", out _), "the watch outlives a restart", TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task A_damaged_identity_is_nobodys_and_hides_no_other()
    {
        await using var nats = await NatsProcess.StartAsync();
        await using var worker = await nats.OpenAsync(QueueRole.Worker);
        await using var person = await nats.OpenAsync(QueueRole.Operator);
        await using var gateway = await nats.OpenAsync(QueueRole.Gateway);
        await Topology.CreateAsync(worker, Servers.Small());
        var identities = await IdentityStore.OpenAsync(person);
        var record = new IdentityRecord("key-1", "host-1", DateTimeOffset.UtcNow);
        await identities.PutAsync("agent-1", record);
        foreach (var damage in new[] { "{", "null", "[]", "{\"public_key\":7}" })
        {
            await person.Nats.PublishAsync("$KV.identities.agent-2", System.Text.Encoding.UTF8.GetBytes(damage));
        }

        await identities.PutAsync("agent-3", record);
        await using var cache = await IdentityCache.OpenAsync(await IdentityStore.OpenAsync(gateway)).WaitAsync(TimeSpan.FromSeconds(20));
        Assert.True(cache.TryGet("agent-1", out _) && cache.TryGet("agent-3", out _));
        Assert.False(cache.TryGet("agent-2", out _));

        // While it watches, too: who was known and is damaged is let in no more, and what comes after is heard.
        await person.Nats.PublishAsync("$KV.identities.agent-1", System.Text.Encoding.UTF8.GetBytes("{"));
        await identities.PutAsync("agent-3", record with { State = IdentityRecord.Revoked });
        await Eventually.TrueAsync(
            () => !cache.TryGet("agent-1", out _) && cache.TryGet("agent-3", out var last) && last.State == IdentityRecord.Revoked, "the revocation is heard");
    }

    [Fact]
    public async Task Lease_is_stolen_only_after_it_stood_still_for_its_duration()
    {
        await using var nats = await NatsProcess.StartAsync();
        await using var worker = await nats.OpenAsync(QueueRole.Worker);
        await Topology.CreateAsync(worker, Servers.Small());
        var a = await LeaseStore.OpenAsync(worker, "owner-a", Short);
        var b = await LeaseStore.OpenAsync(worker, "owner-b", Short);
        var held = (await a.TryAcquireAsync("partition.0")).Lease!;
        Assert.True(held.IsValid);
        Assert.Equal("", held.PreviousOwner);

        // Renewals keep it, for longer than its duration.
        for (var round = 0; round < 4; round++)
        {
            var refused = await b.TryAcquireAsync("partition.0");
            Assert.Null(refused.Lease);
            Assert.Equal("owner-a", refused.Holder);
            await Task.Delay(Short / 2);
            Assert.True(await held.RenewAsync());
        }

        // No renewal: the other gets it, never while it stands.
        LeaseAttempt attempt;
        do
        {
            attempt = await b.TryAcquireAsync("partition.0");
            Assert.False(attempt.Lease is not null && held.IsValid, "two owners at once");
            await Task.Delay(20);
        }
        while (attempt.Lease is null);
        Assert.False(held.IsValid);
        Assert.Equal("owner-a", attempt.Lease.PreviousOwner);
        Assert.False(await held.RenewAsync());

        // A release frees it at once and still names the last owner.
        await attempt.Lease.ReleaseAsync();
        Assert.False(attempt.Lease.IsValid);
        var again = (await a.TryAcquireAsync("partition.0")).Lease;
        Assert.Equal("owner-b", again?.PreviousOwner);
    }

    [Fact]
    public async Task A_renewal_whose_answer_was_lost_does_not_cost_the_lease()
    {
        await using var nats = await NatsProcess.StartAsync();
        await using var worker = await nats.OpenAsync(QueueRole.Worker, TimeSpan.FromSeconds(1));
        await Topology.CreateAsync(worker, Servers.Small());
        var a = await LeaseStore.OpenAsync(worker, "owner-a", TimeSpan.FromSeconds(30));
        var held = (await a.TryAcquireAsync("partition.0")).Lease!;

        nats.Pause();
        await Assert.ThrowsAsync<QueueException>(() => held.RenewAsync());
        nats.Resume();
        Assert.True(await held.RenewAsync());
        Assert.InRange(held.Remaining, TimeSpan.FromSeconds(20), TimeSpan.FromSeconds(30));

        // The same before a release: it frees the lease at once all the same.
        nats.Pause();
        await Assert.ThrowsAsync<QueueException>(() => held.RenewAsync());
        nats.Resume();
        await held.ReleaseAsync();
        var b = await LeaseStore.OpenAsync(worker, "owner-b", TimeSpan.FromSeconds(30));
        Assert.Equal("owner-a", (await b.TryAcquireAsync("partition.0")).Lease?.PreviousOwner);
    }

    [Fact]
    public async Task Offsets_are_fenced_by_revision()
    {
        await using var nats = await NatsProcess.StartAsync();
        await using var worker = await nats.OpenAsync(QueueRole.Worker);
        await Topology.CreateAsync(worker, Servers.Small());
        var offsets = await OffsetStore.OpenAsync(worker);
        var created = DateTimeOffset.UtcNow;
        Assert.Equal((null, 0UL), await offsets.GetAsync(2));
        var revision = await offsets.TryWriteAsync(2, new OffsetRecord(created, 10), 0);
        Assert.NotNull(await offsets.TryWriteAsync(2, new OffsetRecord(created, 20), revision!.Value));
        Assert.Null(await offsets.TryWriteAsync(2, new OffsetRecord(created, 30), revision.Value));
        Assert.Null(await offsets.TryWriteAsync(2, new OffsetRecord(created, 30), 0));
        Assert.Equal(new OffsetRecord(created, 20), (await offsets.GetAsync(2)).Offset);
    }
}
