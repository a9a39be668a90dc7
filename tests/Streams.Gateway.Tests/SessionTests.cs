using Streams.Gateway.Tests.Support;
using Streams.Testing;
using Streams.Wire;
using Streams.Wire.Frames;
using Streams.Wire.Messages;

namespace Streams.Gateway.Tests;

/// <summary>What ends a session, and what the agent and the operator are told.</summary>
public sealed class SessionTests
{
    [Theory]
    [InlineData("replay")]
    [InlineData("reorder")]
    [InlineData("tampered")]
    [InlineData("ready twice")]
    [InlineData("gateway's type")]
    [InlineData("text of nothing")]
    [InlineData("trailing byte")]
    [InlineData("bad want")]
    [InlineData("not padded")]
    [InlineData("empty data")]
    public async Task Frames_that_break_the_protocol_end_the_session(string how)
    {
        await using var fixture = await GatewayFixture.StartAsync();
        using var identity = await fixture.EnrolAsync("agent-1");
        await using (var agent = await fixture.ConnectAsync(identity))
        {
            await agent.WaitForCreditAsync(LaneClass.Event, 16 * 1024);
            var first = agent.Seal(FrameType.Data, Batches.Pad(Batches.Make(agent.Epoch, 1, 0)), LaneClass.Event);
            var second = agent.Seal(FrameType.Data, Batches.Pad(Batches.Make(agent.Epoch, 1, 1)), LaneClass.Event);
            byte[][] messages = how switch
            {
                "replay" => [first, first],
                "reorder" => [second, first],
                "tampered" => [[.. first[..^1], (byte)(first[^1] ^ 1)]],
                "ready twice" => [first, second, agent.Seal(FrameType.Ready, new byte[13], LaneClass.Control)],
                "gateway's type" => [first, second, agent.Seal(FrameType.Credit, new byte[48], LaneClass.Control)],
                "text of nothing" => [[]],
                "trailing byte" => [[.. first, 0]],
                "not padded" => [first, second, agent.Seal(FrameType.Data, Batches.Make(agent.Epoch, 1, 2, 611), LaneClass.Event)],
                "empty data" => [first, second, agent.Seal(FrameType.Data, [], LaneClass.Event)],
                _ => [first, second, agent.Seal(FrameType.Want, new byte[47], LaneClass.Control)],
            };
            foreach (var message in messages)
            {
                await agent.SendRawAsync(message);
            }

            Assert.Equal(CloseCode.Protocol, await agent.WaitForCloseAsync());
        }

        await fixture.AssertNothingHeldAsync();
        Assert.Equal(1, fixture.Counter("streams.gateway.sessions.ended{protocol}"));
    }

    [Theory]
    [InlineData("no batch")]
    [InlineData("padding not zero")]
    [InlineData("too much padding")]
    [InlineData("two lanes")]
    [InlineData("hole inside")]
    [InlineData("other class")]
    public async Task Data_that_is_not_whole_consecutive_batches_of_one_lane_ends_the_session(string how)
    {
        await using var fixture = await GatewayFixture.StartAsync();
        using var identity = await fixture.EnrolAsync("agent-1");
        await using var agent = await fixture.ConnectAsync(identity);
        await agent.WaitForCreditAsync(LaneClass.Event, 16 * 1024);
        var good = Batches.Pad(Batches.Make(agent.Epoch, 1, 0));
        var plaintext = how switch
        {
            "no batch" => new byte[256],
            "padding not zero" => [.. good[..^1], 1],
            "too much padding" => [.. good, .. new byte[256]],
            "two lanes" => Batches.Pad(Batches.Make(agent.Epoch, 1, 0), Batches.Make(agent.Epoch, 2, 1)),
            "hole inside" => Batches.Pad(Batches.Make(agent.Epoch, 1, 0), Batches.Make(agent.Epoch, 1, 2)),
            _ => good,
        };
        if (how == "other class")
        {
            await agent.WantAsync(LaneClass.Metric, 16 * 1024, 16 * 1024);
            await agent.WaitForCreditAsync(LaneClass.Metric, 16 * 1024);
        }

        await agent.SendDataAsync(plaintext, how == "other class" ? LaneClass.Metric : LaneClass.Event);
        Assert.Equal(CloseCode.Protocol, await agent.WaitForCloseAsync());
        await agent.DisposeAsync();
        await fixture.AssertNothingHeldAsync();
        Assert.Equal(1, fixture.Counters.Where(counter => counter.Key.StartsWith("streams.gateway.dropped{", StringComparison.Ordinal)
            && counter.Key.EndsWith("malformed}", StringComparison.Ordinal)).Sum(counter => counter.Value));
    }

    [Fact]
    public async Task A_frame_above_the_credit_ends_the_session_before_memory_is_spent_on_it()
    {
        await using var fixture = await GatewayFixture.StartAsync();
        using var identity = await fixture.EnrolAsync("agent-1");
        await using var agent = await fixture.ConnectAsync(identity);
        await agent.WaitForCreditAsync(LaneClass.Event, 16 * 1024);
        await agent.SendDataAsync(Batches.Pad(Batches.Make(agent.Epoch, 1, 0, 20_000)));
        Assert.Equal(CloseCode.CreditExceeded, await agent.WaitForCloseAsync());
        await agent.DisposeAsync();
        await fixture.AssertNothingHeldAsync();
        Assert.Equal(0, fixture.Counter("streams.gateway.received{event}"));
    }

    [Fact]
    public async Task What_came_already_is_dropped_as_a_duplicate_and_the_session_goes_on()
    {
        await using var fixture = await GatewayFixture.StartAsync();
        using var identity = await fixture.EnrolAsync("agent-1");
        await using var agent = await fixture.ConnectAsync(identity);
        await agent.WaitForCreditAsync(LaneClass.Event, 16 * 1024);
        var batch = Batches.Pad(Batches.Make(agent.Epoch, 1, 0));
        await agent.SendDataAsync(batch);
        await agent.SendDataAsync(batch);
        await agent.SendDataAsync(Batches.Pad(Batches.Make(agent.Epoch, 1, 1)));
        var messages = await fixture.ReadAsync("agent-1", 2);
        Assert.Equal([0U, 1U], messages.Select(message => message.Headers.First));
        Assert.Equal(1, fixture.Counter("streams.gateway.dropped{event,duplicate}"));
        Assert.Equal(1, fixture.Server.Sessions);
    }

    [Fact]
    public async Task A_later_session_displaces_the_older_one_which_publishes_no_more()
    {
        await using var fixture = await GatewayFixture.StartAsync();
        using var identity = await fixture.EnrolAsync("agent-1");
        await using var older = await fixture.ConnectAsync(identity);
        await older.WaitForCreditAsync(LaneClass.Event, 16 * 1024);
        await using var newer = await fixture.ConnectAsync(identity);
        Assert.True(newer.Session.Generation > older.Session.Generation);
        Assert.Equal(CloseCode.Displaced, await older.WaitForCloseAsync());
        Assert.True(GoodbyeMessage.TryRead(older.Inbox.Last().Payload, out var goodbye));
        Assert.Equal(GoodbyeReason.Displaced, goodbye.Reason);
        await newer.WaitForCreditAsync(LaneClass.Event, 16 * 1024);
        await newer.SendDataAsync(Batches.Pad(Batches.Make(newer.Epoch, 1, 0)));
        Assert.Equal(newer.Session.Generation, Assert.Single(await fixture.ReadAsync("agent-1", 1)).Headers.Generation);
        Assert.Equal(1, fixture.Server.Sessions);
    }

    [Fact]
    public async Task A_session_at_another_gateway_displaces_the_one_here()
    {
        await using var fixture = await GatewayFixture.StartAsync();
        using var identity = await fixture.EnrolAsync("agent-1");
        await using var here = await fixture.ConnectAsync(identity);
        await here.WaitForCreditAsync(LaneClass.Event, 16 * 1024);
        var other = await fixture.StartGatewayAsync(fixture.Options);
        await using (var there = await RawAgent.ConnectAsync(other.Address, identity, fixture.Roots))
        {
            Assert.Equal(CloseCode.Displaced, await here.WaitForCloseAsync());
            Assert.True(there.Session.Generation > here.Session.Generation);
        }

        await other.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task Three_missed_heartbeats_end_the_session()
    {
        await using var fixture = await GatewayFixture.StartAsync(options => options with { HeartbeatSeconds = 1 });
        using var identity = await fixture.EnrolAsync("agent-1");
        await using var agent = await fixture.ConnectAsync(identity);
        var started = Environment.TickCount64;
        Assert.Equal(CloseCode.HeartbeatLost, await agent.WaitForCloseAsync());
        Assert.InRange(Environment.TickCount64 - started, 3000, 8000);
        Assert.InRange(agent.Inbox.Count(frame => frame.Type == FrameType.GatewayHeartbeat), 2, 5);
    }

    [Fact]
    public async Task A_started_frame_that_does_not_end_is_not_waited_for()
    {
        await using var fixture = await GatewayFixture.StartAsync();
        using var identity = await fixture.EnrolAsync("agent-1");
        await using var agent = await fixture.ConnectAsync(identity);
        await agent.WaitForCreditAsync(LaneClass.Event, 16 * 1024);
        var frame = agent.Seal(FrameType.Data, Batches.Pad(Batches.Make(agent.Epoch, 1, 0)), LaneClass.Event);
        await agent.Socket.SendAsync(frame.AsMemory(0, 100), System.Net.WebSockets.WebSocketMessageType.Binary, endOfMessage: false, CancellationToken.None);
        await Eventually.TrueAsync(() => fixture.Counter("streams.gateway.sessions.ended{slow}") == 1, "ended", TimeSpan.FromSeconds(15));
        await fixture.AssertNothingHeldAsync();
    }
}
