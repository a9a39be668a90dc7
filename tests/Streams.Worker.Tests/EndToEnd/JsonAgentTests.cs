using Streams.Testing;

namespace Streams.Worker.Tests.EndToEnd;

/// <summary>A stranger's agent, the real gateway, queue, worker and ClickHouse: whatever happens between them, its events are rows once.</summary>
[Collection(WorkerCollection.Name)]
public sealed class JsonAgentTests(WorkerStack stack) : IAsyncLifetime
{
    private const uint Batches = 50;

    public Task InitializeAsync() => stack.StartAsync();

    public Task DisposeAsync() => stack.StopWorkersAsync();

    [Fact]
    public async Task A_thousand_events_are_a_thousand_rows_with_every_value()
    {
        await using var gateway = await JsonGateway.StartAsync(stack);
        var (agentId, seed) = await gateway.EnrolAsync();
        var feeder = new JsonFeeder(gateway, agentId, seed, Batches);
        await feeder.ConnectAsync();
        await feeder.SendAsync(Batches);
        await AssertOnceAsync(agentId, feeder);
        Assert.Equal("1000", await stack.ClickHouse.QueryAsync(
            $"""
            SELECT countIf(host = 'host-of-strangers' AND toUnixTimestamp64Micro(time) = {Fakes.Batches.Noon} + seq AND cpu = 65535 AND pid = 1000 + seq
                AND comm = 'true' AND inode = 18446744073709551615 AND filename = '/bin/trüe' AND argv = concat('true\0--n=', toString(batch)) AND argc = 2
                AND uid = 0 AND sensor_epoch = epoch AND row = seq - batch * {JsonFeeder.Rows} - 1)
            FROM process_exec WHERE agent_id = '{agentId}'
            """));
        await feeder.KillAsync();
    }

    [Fact]
    public async Task A_rewind_is_obeyed()
    {
        await using var gateway = await JsonGateway.StartAsync(stack);
        var (agentId, seed) = await gateway.EnrolAsync();
        var feeder = new JsonFeeder(gateway, agentId, seed, Batches);
        await feeder.ConnectAsync();
        await feeder.SendAsync(10);
        feeder.Skip();
        await feeder.SendAsync(Batches);
        Assert.InRange(feeder.Rewinds, 1, 5);
        await AssertOnceAsync(agentId, feeder);
        await feeder.KillAsync();
    }

    [Fact]
    public async Task Keys_change_both_ways_and_tokens_expire_without_a_gap()
    {
        await using var gateway = await JsonGateway.StartAsync(stack, tokenSeconds: 2);
        var (agentId, seed) = await gateway.EnrolAsync();
        var feeder = new JsonFeeder(gateway, agentId, seed, Batches);
        await feeder.ConnectAsync();
        await feeder.SendAsync(Batches, async n =>
        {
            if (n % 10 == 5)
            {
                await feeder.Agent.RekeyAsync();
                gateway.Clock.Age(TimeSpan.FromSeconds(121));
                // Over the whole run each token expires.
                var tokens = feeder.Tokens;
                await Eventually.TrueAsync(() => feeder.Tokens > tokens, "a new token comes");
            }
        });
        Assert.Equal(5U, feeder.Agent.KeyEpochs.Sent);
        Assert.InRange(feeder.Agent.KeyEpochs.Received, 5U, 8U);
        await AssertOnceAsync(agentId, feeder);
        await feeder.KillAsync();
    }

    [Fact]
    public async Task Who_is_killed_goes_on_from_the_watermark_and_a_gateway_that_ends_costs_nothing()
    {
        await using var gateway = await JsonGateway.StartAsync(stack);
        var (agentId, seed) = await gateway.EnrolAsync();
        var feeder = new JsonFeeder(gateway, agentId, seed, Batches);
        await feeder.ConnectAsync();
        await Assert.ThrowsAsync<KilledException>(() => feeder.SendAsync(Batches, n => n == 17 ? throw new KilledException() : Task.CompletedTask));
        await feeder.KillAsync();
        await feeder.ConnectAsync();
        await Assert.ThrowsAsync<KilledException>(() => feeder.SendAsync(Batches, n => n == 33 ? throw new KilledException() : Task.CompletedTask));
        await gateway.RestartAsync();
        await feeder.KillAsync();
        await feeder.ConnectAsync();
        await feeder.SendAsync(Batches);
        await AssertOnceAsync(agentId, feeder);
        await feeder.KillAsync();
    }

    private async Task AssertOnceAsync(string agentId, JsonFeeder feeder)
    {
        using var checker = stack.Checker();
        var verdict = await checker.CheckAsync(agentId, feeder.Stamped);
        Assert.True(verdict.Clean, verdict.ToString());
        Assert.Equal(Batches * JsonFeeder.Rows, verdict.Rows);
    }

    private sealed class KilledException : Exception;
}
