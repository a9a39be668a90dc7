using Streams.Testing;

namespace Streams.Queue.Tests;

public sealed class TopologyKeeperTests
{
    [Fact]
    public async Task A_store_that_was_wiped_under_living_connections_is_made_again_and_everything_opened_on_it_goes_on()
    {
        await using var nats = await NatsProcess.StartAsync();
        await using var worker = await nats.OpenAsync(QueueRole.Worker);
        await Topology.CreateAsync(worker, Servers.Small());
        await using var keeper = TopologyKeeper.Start(worker, Servers.Small(), TimeSpan.FromMilliseconds(200));
        await using var gateway = await nats.OpenAsync(QueueRole.Gateway);
        await using var person = await nats.OpenAsync(QueueRole.Operator);
        var record = new SessionRecord(0, "gw-1", Messages.Epoch.ToString(), DateTimeOffset.UtcNow, "host", "127.0.0.1");
        var sessions = await SessionStore.OpenAsync(gateway);
        var before = (await sessions.AdvanceAsync("agent-1", record)).Generation;
        var identities = await IdentityStore.OpenAsync(person);
        await identities.PutAsync("agent-1", new IdentityRecord("key-1", "host-1", DateTimeOffset.UtcNow));
        await using var cache = await IdentityCache.OpenAsync(await IdentityStore.OpenAsync(gateway));
        var outcomes = new List<PublishOutcome>();
        await using var publisher = await Publisher.OpenAsync(gateway, 0, new PublisherOptions(), result => outcomes.Add(result.Outcome));

        await nats.RestartAsync(wipe: true);
        await Eventually.TrueAsync(
            () => Succeeds(() => Topology.CheckAsync(gateway, 4)), "the streams are there again", TimeSpan.FromSeconds(20));
        await Eventually.TrueAsync(
            () => Succeeds(() => identities.PutAsync("agent-2", new IdentityRecord("key-2", "host-2", DateTimeOffset.UtcNow))),
            "the buckets too");

        Assert.Null(await sessions.GetAsync("agent-1"));
        Assert.True((await sessions.AdvanceAsync("agent-1", record)).Generation > before);
        await publisher.PublishAsync("agent-1", Messages.Headers(1), new byte[10]);
        await publisher.DrainAsync();
        Assert.Equal(PublishOutcome.Acknowledged, Assert.Single(outcomes));
        // What was known stays known: nobody took it back.
        Assert.True(cache.TryGet("agent-1", out _));
        await Eventually.TrueAsync(() => cache.TryGet("agent-2", out _), "the watch goes on in the new bucket", TimeSpan.FromSeconds(20));
    }

    private static async Task<bool> Succeeds(Func<Task> attempt)
    {
        try
        {
            await attempt();
            return true;
        }
        catch (QueueException)
        {
            return false;
        }
    }
}
