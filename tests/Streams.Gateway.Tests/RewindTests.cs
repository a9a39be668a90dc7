using Streams.Gateway.Tests.Support;
using Streams.Queue;
using Streams.Schema;
using Streams.Testing;
using Streams.Wire;
using Streams.Wire.Frames;

namespace Streams.Gateway.Tests;

/// <summary>Lanes that go back, and lanes that wait, in a session that lives on.</summary>
public sealed class RewindTests
{
    [Fact]
    public async Task A_hole_between_frames_is_told_to_the_agent_which_sends_again_in_the_same_session()
    {
        await using var fixture = await GatewayFixture.StartAsync();
        using var identity = await fixture.EnrolAsync("agent-1");
        await using (var agent = await fixture.ConnectAsync(identity))
        {
            await agent.WaitForCreditAsync(LaneClass.Event, 16 * 1024);
            await agent.SendDataAsync(Batches.Pad(Batches.Make(agent.Epoch, 1, 0)));
            await agent.SendDataAsync(Batches.Pad(Batches.Make(agent.Epoch, 1, 2)));
            await agent.SendDataAsync(Batches.Pad(Batches.Make(agent.Epoch, 1, 3)));
            Assert.Equal((1U, 1U), Assert.Single(await agent.WaitForOrdersAsync(FrameType.Rewind)));
            for (uint n = 1; n < 4; n++)
            {
                await agent.SendDataAsync(Batches.Pad(Batches.Make(agent.Epoch, 1, n)));
            }

            var messages = await fixture.ReadAsync("agent-1", 4);
            Assert.Equal([0U, 1U, 2U, 3U], messages.Select(message => message.Headers.First));
            Assert.Equal(2, fixture.Counter("streams.gateway.dropped{event,gap}"));
            Assert.Equal((0L, 1L), (fixture.Counter("streams.gateway.rewinds{}"), fixture.Counter("streams.gateway.rewinds.told{}")));
        }

        await fixture.AssertNothingHeldAsync();
    }

    [Fact]
    public async Task A_rewind_of_the_worker_is_obeyed_in_the_session_and_the_queue_takes_the_same_batches_again()
    {
        await using var fixture = await GatewayFixture.StartAsync();
        using var identity = await fixture.EnrolAsync("agent-1");
        await using (var agent = await fixture.ConnectAsync(identity))
        {
            await agent.WaitForCreditAsync(LaneClass.Event, 16 * 1024);
            var batches = Enumerable.Range(0, 4).Select(n => Batches.Pad(Batches.Make(agent.Epoch, 1, (uint)n))).ToList();
            await agent.SendDataAsync(batches[0]);
            await agent.SendDataAsync(batches[1]);
            await fixture.ReadAsync("agent-1", 2);
            await fixture.Flow("agent-1").TellAsync([new FlowRecord(FlowKind.Rewind, "agent-1", agent.Epoch, 1, 0)]);
            // Sent before the agent heard: dropped, not a broken rule.
            await Eventually.TrueAsync(() => fixture.Counter("streams.gateway.rewinds{}") == 1, "the gateway heard");
            await agent.SendDataAsync(batches[2]);
            Assert.Equal((1U, 0U), Assert.Single(await agent.WaitForOrdersAsync(FrameType.Rewind)));
            foreach (var batch in batches)
            {
                await agent.SendDataAsync(batch);
            }

            var messages = await fixture.ReadAsync("agent-1", 6);
            Assert.Equal([0U, 1U, 0U, 1U, 2U, 3U], messages.Select(message => message.Headers.First));
            Assert.Single(messages.Select(message => message.Headers.Generation).Distinct());
            Assert.Equal(1, fixture.Counter("streams.gateway.dropped{event,gap}"));
            Assert.Equal(1, fixture.Server.Sessions);
        }

        await fixture.AssertNothingHeldAsync();
    }

    [Fact]
    public async Task A_rewind_that_was_not_heard_comes_with_the_next_heartbeat()
    {
        await using var fixture = await GatewayFixture.StartAsync(options => options with { HeartbeatSeconds = 1 });
        using var identity = await fixture.EnrolAsync("agent-1");
        await using var agent = await fixture.ConnectAsync(identity);
        await agent.WaitForCreditAsync(LaneClass.Event, 16 * 1024);
        await agent.SendDataAsync(Batches.Pad(Batches.Make(agent.Epoch, 3, 0), Batches.Make(agent.Epoch, 3, 1)));
        await fixture.ReadAsync("agent-1", 1);
        fixture.Lanes["agent-1"] = [new FlowRecord(FlowKind.Rewind, "agent-1", agent.Epoch, 3, 1)];
        var heartbeats = HeartbeatsAsync(agent);
        Assert.Equal((3U, 1U), Assert.Single(await agent.WaitForOrdersAsync(FrameType.Rewind)));
        Assert.Equal(1, fixture.Server.Sessions);
        await heartbeats;
    }

    [Fact]
    public async Task A_lane_that_the_worker_never_saw_is_sent_again_from_its_start()
    {
        await using var fixture = await GatewayFixture.StartAsync(options => options with { HeartbeatSeconds = 1 });
        using var identity = await fixture.EnrolAsync("agent-1");
        await using var agent = await fixture.ConnectAsync(identity);
        await agent.WaitForCreditAsync(LaneClass.Event, 16 * 1024);
        await agent.SendDataAsync(Batches.Pad(Batches.Make(agent.Epoch, 3, 0), Batches.Make(agent.Epoch, 3, 1)));
        await fixture.ReadAsync("agent-1", 1);
        // As if the queue had been wiped before the worker read it.
        fixture.Lanes["agent-1"] = [FlowRecord.CaughtUp("agent-1")];
        var heartbeats = HeartbeatsAsync(agent);
        Assert.Equal((3U, 0U), Assert.Single(await agent.WaitForOrdersAsync(FrameType.Rewind)));
        await heartbeats;
    }

    [Fact]
    public async Task A_held_lane_waits_for_the_next_session_and_the_others_go_on()
    {
        await using var fixture = await GatewayFixture.StartAsync();
        using var identity = await fixture.EnrolAsync("agent-1");
        var epoch = Epoch.NewRandom();
        await using (var agent = await fixture.ConnectAsync(identity))
        {
            await agent.WaitForCreditAsync(LaneClass.Event, 16 * 1024);
            await agent.SendDataAsync(Batches.Pad(Batches.Make(epoch, 1, 0)));
            await fixture.ReadAsync("agent-1", 1);
            await fixture.Flow("agent-1").TellAsync([new FlowRecord(FlowKind.Hold, "agent-1", epoch, 1, 0)]);
            Assert.Equal((1U, 0U), Assert.Single(await agent.WaitForOrdersAsync(FrameType.Hold)));
            await agent.SendDataAsync(Batches.Pad(Batches.Make(epoch, 1, 1)));
            await agent.SendDataAsync(Batches.Pad(Batches.Make(epoch, 2, 0)));
            Assert.Equal([1U, 2U], (await fixture.ReadAsync("agent-1", 2)).Select(message => message.Headers.Lane));
            Assert.Equal(1, fixture.Counter("streams.gateway.dropped{event,held}"));
        }

        await using var again = await fixture.ConnectAsync(identity);
        await again.WaitForCreditAsync(LaneClass.Event, 16 * 1024);
        await again.SendDataAsync(Batches.Pad(Batches.Make(epoch, 1, 0)));
        Assert.Equal([1U, 2U, 1U], (await fixture.ReadAsync("agent-1", 3)).Select(message => message.Headers.Lane));
    }

    [Fact]
    public async Task Lanes_of_earlier_processes_come_in_the_session_of_the_living_one()
    {
        await using var fixture = await GatewayFixture.StartAsync();
        using var identity = await fixture.EnrolAsync("agent-1");
        await using var agent = await fixture.ConnectAsync(identity);
        await agent.WaitForCreditAsync(LaneClass.Event, 16 * 1024);
        var epochs = new[] { Epoch.NewRandom(), Epoch.NewRandom(), agent.Epoch };
        for (uint n = 0; n < 2; n++)
        {
            foreach (var epoch in epochs)
            {
                await agent.SendDataAsync(Batches.Pad(Batches.Make(epoch, 1, n)));
            }
        }

        var messages = await fixture.ReadAsync("agent-1", 6);
        Assert.Equal([.. epochs, .. epochs], messages.Select(message => message.Headers.Epoch));
    }

    private static async Task HeartbeatsAsync(RawAgent agent)
    {
        for (var i = 0; i < 3; i++)
        {
            await agent.HeartbeatAsync();
            await Task.Delay(500);
        }
    }
}
