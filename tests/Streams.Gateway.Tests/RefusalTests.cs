using System.Net;
using System.Net.Http.Headers;
using System.Net.WebSockets;
using Streams.Gateway.Tests.Support;
using Streams.Schema;
using Streams.Testing;
using Streams.Wire;
using Streams.Wire.Crypto;
using Streams.Wire.Handshake;

namespace Streams.Gateway.Tests;

/// <summary>Whatever a peer is refused for, it sees the same; the operator sees why.</summary>
public sealed class RefusalTests
{
    [Fact]
    public async Task Every_refusal_is_the_same_from_outside_and_has_its_reason_inside()
    {
        await using var fixture = await GatewayFixture.StartAsync();
        using var known = await fixture.EnrolAsync("agent-1");
        using var unknown = new AgentIdentity("agent-2", SigningKey.Generate());
        using var wrongKey = new AgentIdentity("agent-1", SigningKey.Generate());
        (RefusalReason Reason, AgentIdentity Identity, Func<byte[], byte[]> Change)[] cases =
        [
            (RefusalReason.UnknownAgent, unknown, message => message),
            (RefusalReason.KeyMismatch, wrongKey, message => message),
            (RefusalReason.BadSignature, known, message => Flip(message, message.Length - 1)),
            (RefusalReason.BadSignature, known, message => Flip(message, 4 + 1 + 7 + 32 + 3)),
            (RefusalReason.UnsupportedVersion, known, message => With(message, 1, 9)),
            (RefusalReason.UnsupportedSuite, known, message => With(message, 2, 9)),
            (RefusalReason.Malformed, known, message => message[..^1]),
            (RefusalReason.Malformed, known, _ => [2]),
            (RefusalReason.BadAgentId, known, message => With(message, 5, (byte)'A')),
            (RefusalReason.TooLarge, known, message => [.. message, .. new byte[Wire.Limits.MaxHandshakeMessageBytes]]),
        ];
        foreach (var (reason, identity, change) in cases)
        {
            var before = fixture.Counter($"streams.gateway.handshakes.refused{{{reason}}}");
            await using var agent = await RawAgent.UpgradeAsync(fixture.Server.Address, Protocol.BinarySubprotocol);
            var started = Environment.TickCount64;
            var answer = await agent.AuthenticateAsync(identity, fixture.Roots, change);
            Assert.Equal(RefusalMessage.Bytes.ToArray(), answer);
            Assert.Null(await agent.ReceiveAsync());
            Assert.Equal((CloseCode.Refused, ""), ((CloseCode)agent.Socket.CloseStatus!, agent.Socket.CloseStatusDescription ?? ""));
            Assert.True(Environment.TickCount64 - started >= 24, $"{reason} was answered sooner than the others");
            Assert.Equal(before + 1, fixture.Counter($"streams.gateway.handshakes.refused{{{reason}}}"));
            Assert.Contains(fixture.Log.Lines, line => line.StartsWith("2004 ", StringComparison.Ordinal) && line.Contains(reason.ToString()));
        }

        await fixture.AssertNothingHeldAsync();
    }

    [Fact]
    public async Task An_epoch_of_zero_is_refused()
    {
        await using var fixture = await GatewayFixture.StartAsync();
        using var identity = await fixture.EnrolAsync("agent-1");
        await using var agent = await RawAgent.UpgradeAsync(fixture.Server.Address, Protocol.BinarySubprotocol);
        Assert.Equal(RefusalMessage.Bytes.ToArray(), await agent.AuthenticateAsync(identity, fixture.Roots, epoch: default(Epoch)));
        Assert.Equal(1, fixture.Counter($"streams.gateway.handshakes.refused{{{RefusalReason.Malformed}}}"));
    }

    [Fact]
    public async Task A_slow_M2_is_refused_like_any_other()
    {
        await using var fixture = await GatewayFixture.StartAsync();
        await using var agent = await RawAgent.UpgradeAsync(fixture.Server.Address, Protocol.BinarySubprotocol);
        Assert.NotNull(await agent.ReceiveAsync());
        Assert.Equal(RefusalMessage.Bytes.ToArray(), await agent.ReceiveAsync());
        Assert.Null(await agent.ReceiveAsync());
        Assert.Equal(CloseCode.Refused, (CloseCode)agent.Socket.CloseStatus!);
        Assert.Equal(1, fixture.Counter($"streams.gateway.handshakes.refused{{{RefusalReason.TimedOut}}}"));
        await agent.DisposeAsync();
        await fixture.AssertNothingHeldAsync();
    }

    [Theory]
    [InlineData("streams.v2.json")]
    [InlineData("chat")]
    [InlineData(null)]
    public async Task Another_subprotocol_is_not_upgraded(string? subprotocol)
    {
        await using var fixture = await GatewayFixture.StartAsync();
        await Assert.ThrowsAsync<WebSocketException>(() => RawAgent.UpgradeAsync(fixture.Server.Address, subprotocol is null ? [] : [subprotocol]));
        Assert.Equal(1, fixture.Counter("streams.gateway.handshakes.refused{upgrade}"));
        Assert.Equal(0, fixture.Server.Endpoint.Connections);
    }

    [Fact]
    public async Task Compression_is_not_negotiated_and_a_changed_offer_breaks_the_handshake()
    {
        await using var fixture = await GatewayFixture.StartAsync();
        using var identity = await fixture.EnrolAsync("agent-1");
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://{fixture.Server.Address}{Protocol.Path}");
        request.Headers.Connection.Add("Upgrade");
        request.Headers.Upgrade.Add(new ProductHeaderValue("websocket"));
        request.Headers.Add("Sec-WebSocket-Version", "13");
        request.Headers.Add("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
        request.Headers.Add("Sec-WebSocket-Protocol", Protocol.BinarySubprotocol);
        request.Headers.Add("Sec-WebSocket-Extensions", "permessage-deflate");
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(HttpStatusCode.SwitchingProtocols, response.StatusCode);
        Assert.False(response.Headers.Contains("Sec-WebSocket-Extensions"));

        // The gateway hashed both names; an agent that believes it offered one signs another transcript.
        await using var agent = await RawAgent.UpgradeAsync(fixture.Server.Address, "streams.v1.json", Protocol.BinarySubprotocol);
        Assert.Equal(RefusalMessage.Bytes.ToArray(), await agent.AuthenticateAsync(identity, fixture.Roots));
        Assert.Equal(1, fixture.Counter($"streams.gateway.handshakes.refused{{{RefusalReason.BadSignature}}}"));
    }

    [Fact]
    public async Task A_source_that_connects_too_often_is_refused_before_the_upgrade()
    {
        await using var fixture = await GatewayFixture.StartAsync(options => options with { SourceRate = 1, SourceBurst = 2 });
        await using var first = await RawAgent.UpgradeAsync(fixture.Server.Address, Protocol.BinarySubprotocol);
        await using var second = await RawAgent.UpgradeAsync(fixture.Server.Address, Protocol.BinarySubprotocol);
        await Assert.ThrowsAsync<WebSocketException>(() => RawAgent.UpgradeAsync(fixture.Server.Address, Protocol.BinarySubprotocol));
        Assert.Equal(1, fixture.Counter("streams.gateway.handshakes.refused{source_rate}"));
    }

    [Fact]
    public async Task More_handshakes_than_places_wait_only_so_long()
    {
        await using var fixture = await GatewayFixture.StartAsync(options => options with { MaxHandshakes = 1, HandshakeQueue = TimeSpan.FromMilliseconds(200) });
        await using var first = await RawAgent.UpgradeAsync(fixture.Server.Address, Protocol.BinarySubprotocol);
        Assert.NotNull(await first.ReceiveAsync());
        await Assert.ThrowsAsync<WebSocketException>(() => RawAgent.UpgradeAsync(fixture.Server.Address, Protocol.BinarySubprotocol));
        Assert.Equal(1, fixture.Counter("streams.gateway.handshakes.refused{handshake_queue}"));
    }

    [Fact]
    public async Task Without_the_workers_word_no_session_is_admitted_and_the_agent_is_told_to_come_again()
    {
        await using var fixture = await GatewayFixture.StartAsync(answerFlow: false);
        using var identity = await fixture.EnrolAsync("agent-1");
        await using var agent = await RawAgent.UpgradeAsync(fixture.Server.Address, Protocol.BinarySubprotocol);
        Assert.Equal(GatewayHandshake.AcceptBytes, (await agent.AuthenticateAsync(identity, fixture.Roots)).Length);
        var frame = await agent.ReceiveFrameAsync();
        Assert.True(Wire.Messages.GoodbyeMessage.TryRead(frame!.Payload, out var goodbye));
        Assert.Equal(Wire.Messages.GoodbyeReason.Unavailable, goodbye.Reason);
        Assert.InRange(goodbye.RetryAfterMilliseconds, 1U, 60_000U);
        Assert.Equal(CloseCode.Unavailable, await agent.WaitForCloseAsync());
        Assert.Equal(0, fixture.Server.Sessions);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Ready_must_come_first_and_name_the_generation_of_F0(bool wrongGeneration)
    {
        await using var fixture = await GatewayFixture.StartAsync();
        using var identity = await fixture.EnrolAsync("agent-1");
        await using var agent = await RawAgent.UpgradeAsync(fixture.Server.Address, Protocol.BinarySubprotocol);
        await agent.HandshakeAsync(identity, fixture.Roots);
        await (wrongGeneration ? agent.ReadyAsync(agent.Session.Generation + 1) : agent.HeartbeatAsync());
        Assert.Equal(CloseCode.Protocol, await agent.WaitForCloseAsync());
        await Eventually.TrueAsync(() => fixture.Counter($"streams.gateway.handshakes.refused{{{RefusalReason.NotConfirmed}}}") == 1, "counted");
        Assert.Equal(0, fixture.Counter("streams.gateway.sessions.opened{}"));
    }

    private static byte[] Flip(byte[] message, int at) => With(message, at, (byte)(message[at] ^ 1));

    private static byte[] With(byte[] message, int at, byte value)
    {
        message[at] = value;
        return message;
    }
}
