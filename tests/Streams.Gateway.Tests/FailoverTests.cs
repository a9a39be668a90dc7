using Streams.Gateway.Tests.Support;
using Streams.Queue;
using Streams.Schema;
using Streams.Testing;
using Streams.Wire;
using Streams.Wire.Frames;

namespace Streams.Gateway.Tests;

/// <summary>Gateways that stand still, stores that are wiped, queues that are full, agents that are copies.</summary>
public sealed class FailoverTests
{
    [Fact]
    public async Task A_gateway_that_stood_still_and_goes_on_publishes_under_a_generation_that_is_over()
    {
        await using var fixture = await GatewayFixture.StartAsync();
        using var identity = await fixture.EnrolAsync("agent-1");
        await using var proxy = new StoppableProxy(fixture.Nats.Url);
        var old = await fixture.StartGatewayAsync(fixture.Options with { Nats = proxy.Url });
        var epoch = Epoch.NewRandom();
        await using (var there = await RawAgent.ConnectAsync(old.Address, identity, fixture.Roots))
        {
            await there.WaitForCreditAsync(LaneClass.Event, 16 * 1024);
            await there.SendDataAsync(Batches.Pad(Batches.Make(epoch, 1, 0)));
            await fixture.ReadAsync("agent-1", 1);
            proxy.Stop();
            for (uint n = 1; n < 4; n++)
            {
                await there.SendDataAsync(Batches.Pad(Batches.Make(epoch, 1, n)));
            }

            await Eventually.TrueAsync(() => fixture.Counter("streams.gateway.received{event}") == 4, "they are inside");

            // The agent moves, and sends again from what is committed.
            await using var here = await fixture.ConnectAsync(identity);
            Assert.True(here.Session.Generation > there.Session.Generation);
            await here.WaitForCreditAsync(LaneClass.Event, 16 * 1024);
            for (uint n = 0; n < 6; n++)
            {
                await here.SendDataAsync(Batches.Pad(Batches.Make(epoch, 1, n)));
            }

            await fixture.ReadAsync("agent-1", 7);
            proxy.Continue();
            Assert.Equal(CloseCode.Displaced, await there.WaitForCloseAsync());
            await old.StopAsync(CancellationToken.None);

            // As a worker admits: a lower generation is dropped, and of the rest only what comes next.
            var (generation, expected) = (0UL, 0U);
            var late = 0;
            foreach (var (headers, _) in await fixture.ReadAsync("agent-1", 8))
            {
                late += headers.Generation < generation ? 1 : 0;
                if (headers.Generation >= generation && headers.First <= expected)
                {
                    (generation, expected) = (headers.Generation, Math.Max(expected, headers.Last + 1));
                }
            }

            Assert.Equal(6U, expected);
            Assert.True(late > 0, "something of the old gateway arrived late, or this shows nothing");
            Assert.Equal(1, fixture.Server.Sessions);
        }
    }

    [Fact]
    public async Task A_wiped_store_costs_no_session_and_sessions_after_it_are_above_those_before()
    {
        await using var fixture = await GatewayFixture.StartAsync(options => options with { HeartbeatSeconds = 1 });
        using var identity = await fixture.EnrolAsync("agent-1");
        await using var keeper = TopologyKeeper.Start(fixture.Worker, GatewayFixture.Topology);
        await using var agent = await fixture.ConnectAsync(identity);
        await agent.WantAsync(LaneClass.Event, 20_000, 400_000);
        await agent.WaitForCreditAsync(LaneClass.Event, 200_000);
        var batches = Enumerable.Range(0, 8).Select(n => Batches.Pad(Batches.Make(agent.Epoch, 1, (uint)n))).ToList();
        foreach (var batch in batches[..3])
        {
            await agent.SendDataAsync(batch);
        }

        await fixture.ReadAsync("agent-1", 3);
        await fixture.Nats.RestartAsync(wipe: true);
        // Nothing is committed: that is what a worker says that begins anew, and a gateway that was away asks.
        fixture.Lanes["agent-1"] = [new FlowRecord(FlowKind.Rewind, "agent-1", agent.Epoch, 1, 0)];
        var beats = BeatAsync(agent, 30);
        Assert.Equal((1U, 0U), Assert.Single(await agent.WaitForOrdersAsync(FrameType.Rewind)));
        fixture.Lanes.Clear();
        foreach (var batch in batches)
        {
            await agent.SendDataAsync(batch);
        }

        var messages = await fixture.ReadAsync("agent-1", 8);
        Assert.Equal(Enumerable.Range(0, 8).Select(n => (uint)n), messages.Select(message => message.Headers.First));
        Assert.Equal(1, fixture.Counter("streams.gateway.sessions.opened{}"));

        // The bucket of sessions is empty: the next generation is above this one all the same, and this gateway hears of it.
        await fixture.EnrolAsync(identity);
        var other = await fixture.StartGatewayAsync(fixture.Options);
        await using (var there = await RawAgent.ConnectAsync(other.Address, identity, fixture.Roots))
        {
            Assert.True(there.Session.Generation > agent.Session.Generation);
            Assert.Equal(CloseCode.Displaced, await agent.WaitForCloseAsync());
        }

        await beats;
        await other.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task After_an_outage_a_worker_that_cannot_say_yet_is_asked_again_before_the_next_heartbeat()
    {
        await using var fixture = await GatewayFixture.StartAsync();
        using var identity = await fixture.EnrolAsync("agent-1");
        await using var agent = await fixture.ConnectAsync(identity);
        await agent.WaitForCreditAsync(LaneClass.Event, 16 * 1024);
        await agent.SendDataAsync(Batches.Pad(Batches.Make(agent.Epoch, 1, 0)));
        await fixture.ReadAsync("agent-1", 1);
        Assert.Equal(1, fixture.Questions);
        await fixture.Nats.RestartAsync();
        await Eventually.TrueAsync(() => fixture.Questions == 2, "it is asked", TimeSpan.FromSeconds(15));
        fixture.Lanes["agent-1"] = [new FlowRecord(FlowKind.Rewind, "agent-1", agent.Epoch, 1, 0)];
        Assert.Equal((1U, 0U), Assert.Single(await agent.WaitForOrdersAsync(FrameType.Rewind)));
        Assert.Equal(3, fixture.Questions);
    }

    [Fact]
    public async Task A_full_partition_is_backpressure_for_its_agents_alone_and_drains_when_there_is_room()
    {
        await using var fixture = await GatewayFixture.StartAsync(options => options with { PoolBytes = 4 << 20 }, ingestBytes: 1 << 20);
        using var identity = await fixture.EnrolAsync("agent-1");
        using var neighbour = await fixture.EnrolAsync("agent-2");
        Assert.NotEqual(Subjects.PartitionOf("agent-1", 4), Subjects.PartitionOf("agent-2", 4));
        await using var agent = await fixture.ConnectAsync(identity);
        var plaintext = Batches.Pad(Batches.Make(agent.Epoch, 1, 0, 100_000));
        var frame = Batches.FrameBytes(plaintext);
        await agent.WantAsync(LaneClass.Event, frame, frame * 30);
        await agent.WaitForCreditAsync(LaneClass.Event, frame * 14L);
        for (uint n = 0; n < 14; n++)
        {
            await agent.SendDataAsync(Batches.Pad(Batches.Make(agent.Epoch, 1, n, 100_000)));
        }

        await Eventually.TrueAsync(
            () => fixture.Server.Health().Reasons.Contains($"partition_full:{Subjects.PartitionOf("agent-1", 4)}"), "the partition is full");
        Assert.True(fixture.Counter("streams.gateway.errors{queue_full}") > 0);
        await agent.WantAsync(LaneClass.Event, frame, frame * 30);

        await using var well = await fixture.ConnectAsync(neighbour);
        await well.WantAsync(LaneClass.Event, frame, frame);
        await well.WaitForCreditAsync(LaneClass.Event, frame);
        await well.SendDataAsync(Batches.Pad(Batches.Make(well.Epoch, 1, 0, 100_000)));
        await fixture.ReadAsync("agent-2", 1);
        Assert.InRange(fixture.Server.Core.Pool.Reserved, 0, 4 << 20);

        // Room: what waits goes out, in order, in the same session.
        var seen = new List<uint>();
        await using (var reader = PartitionReader.Start(fixture.Worker, Subjects.PartitionOf("agent-1", 4), 0))
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
            while (seen.Count < 14)
            {
                using var batch = await reader.ReadAsync(patience.Token);
                seen.AddRange(batch.Messages.Select(message => message.Headers.First));
                await reader.PurgeAsync(batch.Messages[^1].Sequence, patience.Token);
            }
        }

        Assert.Equal(Enumerable.Range(0, 14).Select(n => (uint)n), seen);
        await agent.WaitForCreditAsync(LaneClass.Event, frame * 15L);
        Assert.Equal(2, fixture.Server.Sessions);
    }

    [Fact]
    public async Task Credit_can_be_held_from_outside_and_sessions_live_on()
    {
        await using var fixture = await GatewayFixture.StartAsync();
        using var identity = await fixture.EnrolAsync("agent-1");
        fixture.Server.HoldCredit("disk");
        await using var agent = await fixture.ConnectAsync(identity);
        await agent.WantAsync(LaneClass.Event, 20_000, 20_000);
        await agent.HeartbeatAsync();
        await Eventually.TrueAsync(() => fixture.Counter("streams.gateway.control{received,heartbeat}") == 1, "the want was heard");
        Assert.Equal((0L, 1), (fixture.Server.Core.Pool.Reserved, fixture.Server.Sessions));
        Assert.Equal(["credit_held:disk"], fixture.Server.Health().Reasons);
        fixture.Server.HoldCredit(null);
        await agent.WaitForCreditAsync(LaneClass.Event, 20_000);
        Assert.Empty(fixture.Server.Health().Reasons);
    }

    [Fact]
    public async Task Copies_of_an_agent_are_seen_and_both_bring_their_data()
    {
        await using var fixture = await GatewayFixture.StartAsync();
        using var identity = await fixture.EnrolAsync("agent-1");
        var epochs = new[] { Epoch.NewRandom(), Epoch.NewRandom() };
        ulong[] counters = [5, 5, 6, 9, 7];
        for (var i = 0; i < counters.Length; i++)
        {
            await using var agent = await RawAgent.ConnectAsync(
                fixture.Server.Address, identity, fixture.Roots, new RawAgent { Epoch = epochs[i % 2], ConnectCounter = counters[i] });
            await agent.WaitForCreditAsync(LaneClass.Event, 16 * 1024);
            await agent.SendDataAsync(Batches.Pad(Batches.Make(agent.Epoch, 1, (uint)i / 2)));
            await fixture.ReadAsync("agent-1", i + 1);
        }

        var messages = await fixture.ReadAsync("agent-1", 5);
        Assert.Equal([(0U, 0), (0U, 1), (1U, 0), (1U, 1), (2U, 0)], messages.Select(m => (m.Headers.First, Array.IndexOf(epochs, m.Headers.Epoch))));
        // The second and the fifth came with a counter that had not grown; the third and fourth are the process before the last again.
        Assert.Equal((2L, 2L), (fixture.Counter("streams.gateway.clones{counter_back}"), fixture.Counter("streams.gateway.clones{epochs_alternate}")));
        Assert.Equal(4, fixture.Log.Lines.Count(line => line.StartsWith("2024 ", StringComparison.Ordinal)));
        await using var connection = await fixture.ConnectAsync(QueueRole.Operator);
        var record = (await (await SessionStore.OpenAsync(connection)).GetAsync("agent-1"))!.Value.Value;
        Assert.Equal((5UL, 4UL, 7UL), (record.Sessions, record.Clones, record.ConnectCounter));
    }

    [Fact]
    public async Task A_kernel_that_is_here_again_is_a_copy()
    {
        await using var fixture = await GatewayFixture.StartAsync();
        using var identity = await fixture.EnrolAsync("agent-1");
        UInt128[] boots = [2, 3, 0, 3, 2];
        for (var i = 0; i < boots.Length; i++)
        {
            await using var agent = await RawAgent.ConnectAsync(
                fixture.Server.Address, identity, fixture.Roots, new RawAgent { BootId = boots[i], ConnectCounter = (ulong)i + 1 });
            await agent.WaitForCreditAsync(LaneClass.Event, 16 * 1024);
        }

        Assert.Equal(1L, fixture.Counter("streams.gateway.clones{boots_alternate}"));
        await using var connection = await fixture.ConnectAsync(QueueRole.Operator);
        var record = (await (await SessionStore.OpenAsync(connection)).GetAsync("agent-1"))!.Value.Value;
        Assert.Equal((1UL, $"{2:x32}", $"{3:x32}"), (record.Clones, record.Boot, record.BootBefore));
    }

    private static async Task BeatAsync(RawAgent agent, int times)
    {
        for (var i = 0; i < times && agent.Socket.State == System.Net.WebSockets.WebSocketState.Open; i++)
        {
            try
            {
                await agent.HeartbeatAsync();
            }
            catch (System.Net.WebSockets.WebSocketException)
            {
                return;
            }

            await Task.Delay(500);
        }
    }
}
