using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using Streams.Gateway.Tests.Support;
using Streams.Testing;
using Streams.Wire;
using Streams.Wire.Crypto;

namespace Streams.Gateway.Tests;

/// <summary>What one address can hold of what all share, and that the others come in all the same.</summary>
public sealed class SourceShareTests
{
    private static readonly IPAddress Elsewhere = IPAddress.Parse("127.0.0.2");

    [Fact]
    public async Task Peers_that_say_nothing_hold_their_sources_share_of_handshakes_and_no_more()
    {
        await using var fixture = await GatewayFixture.StartAsync(options => options with
        {
            MaxHandshakes = 4,
            SourceHandshakes = 2,
            HandshakeQueue = TimeSpan.FromMilliseconds(100),
        });
        await using var first = await RawAgent.UpgradeAsync(fixture.Server.Address, Protocol.BinarySubprotocol);
        await using var second = await RawAgent.UpgradeAsync(fixture.Server.Address, Protocol.BinarySubprotocol);
        for (var i = 1; i <= 4; i++)
        {
            await using var third = new RawAgent();
            third.Socket.Options.CollectHttpResponseDetails = true;
            await Assert.ThrowsAsync<WebSocketException>(() => RawAgent.UpgradeAsync(third, fixture.Server.Address, Protocol.BinarySubprotocol));
            Assert.Equal(HttpStatusCode.TooManyRequests, third.Socket.HttpStatusCode);
            Assert.InRange(int.Parse(third.Socket.HttpResponseHeaders!["Retry-After"].Single()), 1, 16);
            Assert.Equal(i, fixture.Counter("streams.gateway.handshakes.refused{source_handshakes}"));
        }

        using var identity = await fixture.EnrolAsync("agent-1");
        await using var agent = await RawAgent.ConnectAsync(fixture.Server.Address, identity, fixture.Roots, new RawAgent { Handler = Dial.From(Elsewhere) });
        await Eventually.TrueAsync(() => fixture.Server.Sessions == 1, "another source has its session");
    }

    [Fact]
    public async Task A_peer_that_says_nothing_gives_its_place_back_at_the_deadline_of_5_s()
    {
        await using var fixture = await GatewayFixture.StartAsync(options => options with { MaxHandshakes = 1, HandshakeQueue = TimeSpan.FromSeconds(7) });
        // It does not answer the close either, so that its connection lives for 8 s.
        await using var silent = await RawAgent.UpgradeAsync(fixture.Server.Address, Protocol.BinarySubprotocol);
        var started = Environment.TickCount64;
        await using var next = await RawAgent.UpgradeAsync(
            new RawAgent { Handler = Dial.From(Elsewhere) }, fixture.Server.Address, Protocol.BinarySubprotocol);
        Assert.InRange(Environment.TickCount64 - started, 4000, 6900);
        Assert.Equal(2, fixture.Server.Endpoint.Connections);
    }

    [Fact]
    public async Task A_source_has_8_enrolments_at_once_and_another_has_its_own()
    {
        await using var fixture = await GatewayFixture.StartAsync(options => options with { Registration = false });
        fixture.Server.Core.Messages.Add(new MessageTests.Recorder(Wire.Channels.Registry));
        using var key = SigningKey.Generate();
        var enrolling = new List<RawAgent>();
        for (var i = 0; i < 8; i++)
        {
            enrolling.Add(await RawAgent.EnrolAsync(fixture.Server.Address, key, fixture.Roots));
        }

        await Eventually.TrueAsync(() => fixture.Log.Lines.Count(line => line.StartsWith("2052 ", StringComparison.Ordinal)) == 8, "eight enrol");
        await using (var ninth = await RawAgent.EnrolAsync(fixture.Server.Address, key, fixture.Roots))
        {
            Assert.Equal(CloseCode.Unavailable, await ninth.WaitForCloseAsync());
        }

        Assert.Equal(1, fixture.Counter("streams.gateway.handshakes.refused{source_enrolments}"));
        await using var other = await RawAgent.EnrolAsync(
            fixture.Server.Address, key, fixture.Roots, new RawAgent { Handler = Dial.From(Elsewhere) });
        await Eventually.TrueAsync(() => fixture.Log.Lines.Count(line => line.StartsWith("2052 ", StringComparison.Ordinal)) == 9, "another source enrols");
        await enrolling[0].DisposeAsync();
        await Eventually.TrueAsync(() => fixture.Log.Lines.Any(line => line.StartsWith("2053 ", StringComparison.Ordinal)), "one has ended");
        await using var again = await RawAgent.EnrolAsync(fixture.Server.Address, key, fixture.Roots);
        await Eventually.TrueAsync(() => fixture.Log.Lines.Count(line => line.StartsWith("2052 ", StringComparison.Ordinal)) == 10, "its place is given again");
        foreach (var agent in enrolling)
        {
            await agent.DisposeAsync();
        }
    }

    [Fact]
    public async Task Connections_without_a_request_are_counted_by_source()
    {
        await using var fixture = await GatewayFixture.StartAsync(options => options with { SourceConnections = 3 });
        var held = new List<Socket>();
        for (var i = 0; i < 3; i++)
        {
            held.Add(await Dial.ConnectAsync(fixture.Server.Address, "GET"u8.ToArray()));
        }

        using (var fourth = await Dial.ConnectAsync(fixture.Server.Address, []))
        {
            var started = Environment.TickCount64;
            Assert.Equal("", await Dial.ReadToEndAsync(fourth));
            Assert.InRange(Environment.TickCount64 - started, 0, 3000);
        }

        Assert.Equal(1, fixture.Counter("streams.gateway.handshakes.refused{source_connections}"));
        await using (var other = await RawAgent.UpgradeAsync(new RawAgent { Handler = Dial.From(Elsewhere) }, fixture.Server.Address, Protocol.BinarySubprotocol))
        {
            Assert.NotNull(await other.ReceiveAsync());
        }

        held.ForEach(socket => socket.Dispose());
        await Eventually.TrueAsync(
            async () =>
            {
                using var again = await Dial.ConnectAsync(fixture.Server.Address, Encoding.ASCII.GetBytes("GET /nothing HTTP/1.1\r\nHost: g\r\nConnection: close\r\n\r\n"));
                return (await Dial.ReadToEndAsync(again)).StartsWith("HTTP/1.1 404", StringComparison.Ordinal);
            },
            "their places are free again");
    }

    [Fact]
    public async Task Sessions_are_no_connections_of_their_source()
    {
        await using var fixture = await GatewayFixture.StartAsync(options => options with { SourceConnections = 2 });
        var agents = new List<RawAgent>();
        for (var i = 1; i <= 5; i++)
        {
            using var identity = await fixture.EnrolAsync($"agent-{i}");
            agents.Add(await fixture.ConnectAsync(identity));
            // Its place is given back right after that; the one before has surely given its own.
            await agents[^1].WaitForCreditAsync(LaneClass.Event, 16 * 1024);
            var sessions = i;
            await Eventually.TrueAsync(() => fixture.Server.Sessions == sessions, "the session lives");
        }

        Assert.Equal(0, fixture.Counter("streams.gateway.handshakes.refused{source_connections}"));
        foreach (var agent in agents)
        {
            await agent.DisposeAsync();
        }
    }

    [Fact]
    public async Task Behind_a_proxy_connections_count_for_the_source_that_its_header_names()
    {
        await using var fixture = await GatewayFixture.StartAsync(
            options => options with { SourceConnections = 1, ProxyFrom = [IPNetwork.Parse("127.0.0.0/8")] });
        using var first = await Dial.ConnectAsync(fixture.Server.Address, Header("192.0.2.7"));
        await Eventually.TrueAsync(
            async () =>
            {
                using var second = await Dial.ConnectAsync(fixture.Server.Address, Header("192.0.2.7"));
                await Dial.ReadToEndAsync(second);
                return fixture.Counter("streams.gateway.handshakes.refused{source_connections}") > 0;
            },
            "a second one of the source is refused");
        using var other = await Dial.ConnectAsync(
            fixture.Server.Address, [.. Header("192.0.2.8"), .. "GET /nothing HTTP/1.1\r\nHost: g\r\nConnection: close\r\n\r\n"u8]);
        Assert.StartsWith("HTTP/1.1 404", await Dial.ReadToEndAsync(other));

        static byte[] Header(string source) => Encoding.ASCII.GetBytes($"PROXY TCP4 {source} 198.51.100.1 40000 8080\r\n");
    }
}
