using System.Net.WebSockets;
using Streams.Gateway.Records;
using Streams.Gateway.Routing;
using Streams.Gateway.Sessions;
using Streams.Gateway.Tests.Support;
using Streams.Testing;

namespace Streams.Gateway.Tests.Sessions;

/// <summary>A session's begin and end in orders that a socket does not bring about at will.</summary>
public sealed class AgentSessionTests
{
    private static readonly AgentRoute Route = new("agent-1", "host", 0, 1, 1);
    private static readonly SessionFacts Facts = new("127.0.0.1", "bin", "test", 1, "");

    [Fact]
    public async Task A_session_that_ended_before_it_could_begin_keeps_no_credit_and_is_not_registered()
    {
        await using var fixture = await GatewayFixture.StartAsync();
        var core = fixture.Server.Core;
        var keys = TestSession.Handshake(core.Arena);
        using var socket = WebSocket.CreateFromStream(Stream.Null, new WebSocketCreationOptions { IsServer = true });
        var session = new AgentSession(core, socket, keys.Gateway, default);
        // The deadline, while the store is slow.
        session.End(SessionEnd.Protocol);
        Assert.False(session.Begin(Route, Facts));
        Assert.Equal((0L, 0, false), (core.Pool.Reserved, core.Registry.Count, session.HasBegun));
        await session.CloseAsync();
        keys.Agent.Dispose();
        await fixture.AssertNothingHeldAsync();
        Assert.Equal(0, fixture.Counter("streams.gateway.sessions.opened{}"));
    }

    [Fact]
    public async Task A_sender_that_fails_ends_its_session_and_lets_it_close()
    {
        await using var fixture = await GatewayFixture.StartAsync();
        var core = fixture.Server.Core;
        var keys = TestSession.Handshake(core.Arena);
        using var socket = new FaultySocket();
        var session = new AgentSession(core, socket, keys.Gateway, default);
        // Its first frame is the credit.
        Assert.True(session.Begin(Route, Facts));
        await Eventually.TrueAsync(() => session.Ended == SessionEnd.Internal, "the fault is seen");
        await session.CloseAsync().WaitAsync(TimeSpan.FromSeconds(5));
        Assert.Equal(WebSocketState.Aborted, socket.State);
        keys.Agent.Dispose();
        await fixture.AssertNothingHeldAsync();
        Assert.Equal(1, fixture.Counter("streams.gateway.errors{sender}"));
        Assert.Contains(fixture.Log.Lines, line => line.StartsWith("2017 ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Begin_and_end_at_the_same_time_leave_nothing()
    {
        await using var fixture = await GatewayFixture.StartAsync();
        var core = fixture.Server.Core;
        for (var i = 0; i < 200; i++)
        {
            var keys = TestSession.Handshake(core.Arena);
            using var socket = WebSocket.CreateFromStream(Stream.Null, new WebSocketCreationOptions { IsServer = true });
            var session = new AgentSession(core, socket, keys.Gateway, default);
            using var both = new Barrier(2);
            var ending = Task.Run(() =>
            {
                both.SignalAndWait();
                session.End(SessionEnd.Protocol);
            });
            both.SignalAndWait();
            session.Begin(Route, Facts);
            await ending;
            await session.CloseAsync();
            keys.Agent.Dispose();
            Assert.Equal((0L, 0), (core.Pool.Reserved, core.Registry.Count));
        }

        await fixture.AssertNothingHeldAsync();
    }
}
