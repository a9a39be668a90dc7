using Streams.Gateway.Tests.Support;
using Streams.Queue;
using Streams.Schema;
using Streams.Testing;
using Streams.Wire;
using Streams.Wire.Frames;
using Streams.Wire.Messages;

namespace Streams.Gateway.Tests;

/// <summary>From a handshake to messages in the real queue, and back.</summary>
public sealed class DataPathTests
{
    [Fact]
    public async Task Frames_become_messages_with_name_class_generation_and_host_and_everything_is_given_back()
    {
        await using var fixture = await GatewayFixture.StartAsync();
        using var identity = await fixture.EnrolAsync("agent-1", "host-of-1");
        var before = DateTimeOffset.UtcNow;
        await using (var agent = await fixture.ConnectAsync(identity))
        {
            Assert.InRange(agent.Session.Generation, (ulong)before.ToUnixTimeMilliseconds() + 1, (ulong)before.ToUnixTimeMilliseconds() + 60_000);
            Assert.Equal("gateway-1", agent.Session.Gateway);
            await agent.WaitForCreditAsync(LaneClass.Event, 16 * 1024);
            var first = Batches.Make(agent.Epoch, 7, 0);
            var second = Batches.Make(agent.Epoch, 7, 1);
            var third = Batches.Make(agent.Epoch, 7, 2);
            await agent.SendDataAsync(Batches.Pad(first, second));
            await agent.HeartbeatAsync();
            await agent.SendDataAsync(Batches.Pad(third));

            var messages = await fixture.ReadAsync("agent-1", 2);
            Assert.Equal([.. first, .. second], messages[0].Payload);
            Assert.Equal(third, messages[1].Payload);
            var headers = messages[0].Headers;
            Assert.Equal((agent.Epoch, 7U, 0U, 2U), (headers.Epoch, headers.Lane, headers.First, headers.Count));
            Assert.Equal((PriorityClass.Event, agent.Session.Generation, "host-of-1", Catalogue.Version), (headers.Class, headers.Generation, headers.Host, headers.Catalogue));
            Assert.InRange(headers.ReceivedAt, before.ToUnixTimeMilliseconds() * 1000, (DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() + 1) * 1000);
            Assert.Equal((2U, 1U), (messages[1].Headers.First, messages[1].Headers.Count));
            await Eventually.TrueAsync(() => fixture.Counter("streams.gateway.sent{event}") == 2, "both are acknowledged");
            Assert.Equal(2, fixture.Counter("streams.gateway.received{event}"));
            Assert.Equal(3, fixture.Counter("streams.gateway.sent.batches{event}"));
        }

        await fixture.AssertNothingHeldAsync();
    }

    [Fact]
    public async Task Credit_grows_by_want_and_follows_acknowledgements_past_the_size_of_the_pool()
    {
        await using var fixture = await GatewayFixture.StartAsync(options => options with { PoolBytes = 2 << 20 });
        using var identity = await fixture.EnrolAsync("agent-1");
        await using var agent = await fixture.ConnectAsync(identity);
        var sent = 0L;
        for (uint n = 0; n < 40; n++)
        {
            var plaintext = Batches.Pad(Batches.Make(agent.Epoch, 1, n, 120_000));
            var bytes = Batches.FrameBytes(plaintext);
            await agent.WantAsync(LaneClass.Event, bytes, bytes * 4);
            await agent.WaitForCreditAsync(LaneClass.Event, sent + bytes);
            await agent.SendDataAsync(plaintext);
            sent += bytes;
            Assert.InRange(fixture.Server.Core.Pool.Reserved, 0, 2 << 20);
        }

        Assert.True(sent > 2 * (2 << 20));
        var messages = await fixture.ReadAsync("agent-1", 40);
        Assert.Equal(Enumerable.Range(0, 40).Select(n => (uint)n), messages.Select(message => message.Headers.First));
    }

    [Fact]
    public async Task Rows_of_a_class_that_servers_write_end_the_session_and_reach_nobody()
    {
        await using var fixture = await GatewayFixture.StartAsync();
        using var identity = await fixture.EnrolAsync("agent-1");
        await using (var agent = await fixture.ConnectAsync(identity))
        {
            await agent.WantAsync(LaneClass.Alert, 1024, 1024);
            await agent.WaitForCreditAsync(LaneClass.Alert, 1024);
            await agent.SendDataAsync(Batches.Pad(Batches.Audit(agent.Epoch, 1, 0)), LaneClass.Alert);
            await Eventually.TrueAsync(() => fixture.Counter("streams.gateway.sessions.ended{protocol}") == 1, "the session ended");
        }

        Assert.Equal(1, fixture.Counter("streams.gateway.dropped{alert,malformed}"));
        await using var next = await fixture.ConnectAsync(identity);
        await next.WaitForCreditAsync(LaneClass.Event, 16 * 1024);
        await next.SendDataAsync(Batches.Pad(Batches.Make(next.Epoch, 1, 0)));
        Assert.Equal(PriorityClass.Event, Assert.Single(await fixture.ReadAsync("agent-1", 1)).Headers.Class);
    }

    [Fact]
    public async Task Watermarks_are_in_F0_then_told_as_deltas_and_in_full_in_heartbeats()
    {
        await using var fixture = await GatewayFixture.StartAsync(options => options with { HeartbeatSeconds = 1 });
        using var identity = await fixture.EnrolAsync("agent-1");
        var epoch = Epoch.NewRandom();
        fixture.Lanes["agent-1"] = [new FlowRecord(FlowKind.Watermark, "agent-1", epoch, 1, 5)];
        await using var agent = await fixture.ConnectAsync(identity);
        var known = Assert.Single(agent.Session.Watermarks);
        Assert.Equal((1U, 5U), (known.Lane, known.Committed));
        await agent.WaitForCreditAsync(LaneClass.Event, 16 * 1024);

        await fixture.Flow("agent-1").TellAsync([new FlowRecord(FlowKind.Watermark, "agent-1", epoch, 2, 9)]);
        var delta = new LaneWatermark[Wire.Limits.MaxWatermarks];
        var frame = await agent.WaitForAsync(FrameType.Watermark);
        Assert.True(WatermarkMessage.TryRead(frame.Payload, delta, out var count));
        Assert.Equal((1, 2U, 9U), (count, delta[0].Lane, delta[0].Committed));

        await agent.HeartbeatAsync();
        await agent.WaitForAsync(FrameType.GatewayHeartbeat);
        frame = await agent.WaitForAsync(FrameType.GatewayHeartbeat);
        Assert.True(GatewayHeartbeatMessage.TryRead(frame.Payload, delta, out _, out var echo, out count));
        Assert.Equal(2, count);
        Assert.InRange(echo, 77UL, 77UL + 60_000_000);
    }

    [Fact]
    public async Task A_heartbeat_asks_the_worker_when_a_delta_was_lost()
    {
        await using var fixture = await GatewayFixture.StartAsync(options => options with { HeartbeatSeconds = 1 });
        using var identity = await fixture.EnrolAsync("agent-1");
        await using var agent = await fixture.ConnectAsync(identity);
        await agent.WaitForCreditAsync(LaneClass.Event, 16 * 1024);
        await agent.SendDataAsync(Batches.Pad(Batches.Make(agent.Epoch, 3, 0)));
        await fixture.ReadAsync("agent-1", 1);

        // Committed, but nobody tells: only a question brings it.
        fixture.Lanes["agent-1"] = [new FlowRecord(FlowKind.Watermark, "agent-1", agent.Epoch, 3, 1)];
        var watermarks = new LaneWatermark[Wire.Limits.MaxWatermarks];
        var count = 0;
        while (count == 0)
        {
            var frame = await agent.WaitForAsync(FrameType.GatewayHeartbeat);
            Assert.True(GatewayHeartbeatMessage.TryRead(frame.Payload, watermarks, out _, out _, out count));
        }

        Assert.Equal((3U, 1U), (watermarks[0].Lane, watermarks[0].Committed));
    }

    [Fact]
    public async Task A_queue_that_is_away_costs_no_session_gives_no_credit_and_drains_in_order_when_it_is_back()
    {
        await using var fixture = await GatewayFixture.StartAsync(options => options with { HeartbeatSeconds = 1 });
        using var identity = await fixture.EnrolAsync("agent-1");
        await using var agent = await fixture.ConnectAsync(identity);
        await agent.WantAsync(LaneClass.Event, 100_000, 400_000);
        await agent.WaitForCreditAsync(LaneClass.Event, 300_000);
        await agent.SendDataAsync(Batches.Pad(Batches.Make(agent.Epoch, 1, 0, 20_000)));
        await fixture.ReadAsync("agent-1", 1);
        await fixture.Nats.StopAsync();
        await Eventually.TrueAsync(() => fixture.Server.Health().Reasons.Contains("queue_away"), "the gateway notices");
        Assert.Equal(503, fixture.Server.Health().HttpStatus);

        var granted = agent.Credit(LaneClass.Event);
        for (uint n = 1; n <= 8; n++)
        {
            await agent.SendDataAsync(Batches.Pad(Batches.Make(agent.Epoch, 1, n, 20_000)));
            await agent.HeartbeatAsync();
        }

        await agent.WantAsync(LaneClass.Event, 100_000, 900_000);
        for (var beats = 0; beats < 15; beats++)
        {
            await agent.WaitForAsync(FrameType.GatewayHeartbeat);
            await agent.HeartbeatAsync();
        }

        Assert.Equal(granted, agent.Credit(LaneClass.Event));
        Assert.Equal(1, fixture.Server.Sessions);
        await fixture.Nats.RestartAsync();
        var messages = await fixture.ReadAsync("agent-1", 9);
        Assert.Equal(Enumerable.Range(0, 9).Select(n => (uint)n), messages.Select(message => message.Headers.First));
        await agent.WaitForCreditAsync(LaneClass.Event, (long)granted + 100_000);
        Assert.Equal(1, fixture.Counter("streams.gateway.sessions.opened{}"));
        await Eventually.TrueAsync(() => fixture.Server.Health().HttpStatus == 200, "healthy again");
    }
}
