using System.Net;
using System.Net.Http.Headers;
using System.Net.WebSockets;
using System.Text;
using Streams.Gateway.Connections;
using Streams.Gateway.Credit;
using Streams.Gateway.Sessions;
using Streams.Gateway.Tests.Support;
using Streams.Testing;
using Streams.Wire;
using Streams.Wire.Frames;
using Streams.Wire.Handshake;
using Streams.Wire.Messages;

namespace Streams.Gateway.Tests;

/// <summary>What one peer can cost, before it has proved who it is and after.</summary>
public sealed class LimitTests
{
    private static GatewayOptions Rates { get; } = new()
    {
        NatsSeedFile = "",
        KeyFile = "",
        CertificateFile = "",
        AgentMessageRate = 10,
        AgentByteRate = 1000,
        AgentSignatureRate = 5,
        AgentBurst = TimeSpan.FromSeconds(2),
    };

    [Fact]
    public async Task More_messages_than_an_agent_may_send_end_its_session_and_coming_back_does_not_help()
    {
        await using var fixture = await GatewayFixture.StartAsync(options => options with { AgentMessageRate = 10, AgentBurst = TimeSpan.FromSeconds(2) });
        using var identity = await fixture.EnrolAsync("agent-1");
        for (var session = 1; session <= 2; session++)
        {
            await using var agent = await fixture.ConnectAsync(identity);
            for (var i = 0; i < 40 && agent.Socket.State == WebSocketState.Open; i++)
            {
                await agent.HeartbeatAsync();
            }

            Assert.Equal(CloseCode.LimitExceeded, await agent.WaitForCloseAsync());
            Assert.True(GoodbyeMessage.TryRead(agent.Inbox.Last().Payload, out var goodbye));
            Assert.Equal((GoodbyeReason.Limit, 30_000U), (goodbye.Reason, goodbye.RetryAfterMilliseconds));
            var ended = session;
            await Eventually.TrueAsync(() => fixture.Counter("streams.gateway.sessions.ended{message_rate}") == ended, "counted");
        }

        // Another agent has a measure of its own.
        using var other = await fixture.EnrolAsync("agent-2");
        await using var quiet = await fixture.ConnectAsync(other);
        await quiet.HeartbeatAsync();
        await quiet.WaitForCreditAsync(LaneClass.Event, 16 * 1024);
    }

    [Fact]
    public async Task More_bytes_than_an_agent_may_send_end_its_session()
    {
        await using var fixture = await GatewayFixture.StartAsync(
            options => options with { AgentByteRate = Wire.Limits.MaxFrameBytes, AgentBurst = TimeSpan.FromSeconds(1) });
        using var identity = await fixture.EnrolAsync("agent-1");
        await using var agent = await fixture.ConnectAsync(identity);
        ulong sent = 0;
        for (uint n = 0; agent.Socket.CloseStatus is null; n++)
        {
            Assert.True(n < 60, "60 frames were taken");
            var frame = Batches.Pad(Batches.Make(agent.Epoch, 1, n, 15_200));
            var bytes = frame.Length + FrameHeader.Overhead;
            sent += (ulong)bytes;
            await agent.WantAsync(LaneClass.Event, bytes, bytes);
            if (await GrantedAsync(agent, sent))
            {
                await agent.SendDataAsync(frame);
            }
        }

        Assert.Equal(CloseCode.LimitExceeded, (CloseCode)agent.Socket.CloseStatus!);
        await Eventually.TrueAsync(() => fixture.Counter("streams.gateway.sessions.ended{byte_rate}") == 1, "counted");
    }

    [Fact]
    public void Rates_are_counted_apart_and_come_back_with_time()
    {
        var rate = new AgentRate(Rates, 0);
        Assert.All(Enumerable.Range(0, 10), _ => Assert.Equal(SessionEnd.None, rate.CheckSignature(0)));
        Assert.Equal(SessionEnd.SignatureRate, rate.CheckSignature(0));
        Assert.Equal(SessionEnd.None, rate.CheckSignature(200));
        Assert.Equal(SessionEnd.SignatureRate, rate.CheckSignature(200));
        Assert.Equal(SessionEnd.None, rate.Receive(2000, 200));
        Assert.Equal(SessionEnd.ByteRate, rate.Receive(1, 200));
        Assert.Equal(SessionEnd.None, rate.Receive(100, 300));
        Assert.All(Enumerable.Range(0, 18), _ => Assert.Equal(SessionEnd.None, rate.Receive(0, 300)));
        Assert.Equal(SessionEnd.MessageRate, rate.Receive(0, 300));
        Assert.False(rate.IsFull(2000));
        Assert.True(rate.IsFull(2400));
    }

    [Fact]
    public void Rates_of_agents_that_are_quiet_are_forgotten()
    {
        var rates = new AgentRates(Rates);
        var loud = rates.Of("loud", 0);
        Assert.Same(loud, rates.Of("loud", 0));
        for (var i = 0; i < 5000; i++)
        {
            Assert.Equal(SessionEnd.None, loud.Receive(0, i * 200));
            rates.Of($"agent-{i}", i * 200);
            Assert.InRange(rates.Count, 1, 1025);
        }

        Assert.Same(loud, rates.Of("loud", 5000 * 200));
    }

    [Fact]
    public async Task Who_is_refused_for_load_is_told_when_to_come_back_and_not_all_at_once()
    {
        await using var fixture = await GatewayFixture.StartAsync(options => options with { SourceRate = 1, SourceBurst = 1 });
        Assert.Equal(HttpStatusCode.SwitchingProtocols, (await UpgradeAsync(fixture)).Status);
        var refused = new List<(HttpStatusCode Status, double Seconds)>();
        for (var i = 0; i < 12; i++)
        {
            refused.Add(await UpgradeAsync(fixture));
        }

        var busy = refused.Where(answer => answer.Status == HttpStatusCode.TooManyRequests).ToList();
        Assert.True(busy.Count >= 8);
        Assert.All(busy, answer => Assert.InRange(answer.Seconds, 1, 15));
        Assert.True(busy.Select(answer => answer.Seconds).Distinct().Count() > 1, "all were told the same time");
    }

    [Fact]
    public async Task A_gateway_that_drains_or_is_full_says_when_to_come_back()
    {
        await using var fixture = await GatewayFixture.StartAsync(options => options with { MaxHandshakes = 1, HandshakeQueue = TimeSpan.FromMilliseconds(50) });
        await using (var first = await RawAgent.UpgradeAsync(fixture.Server.Address, Protocol.BinarySubprotocol))
        {
            Assert.NotNull(await first.ReceiveAsync());
            var (status, seconds) = await UpgradeAsync(fixture);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
            Assert.InRange(seconds, 1, 15);
        }

        fixture.Server.Core.TryDrain();
        var drained = await UpgradeAsync(fixture);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, drained.Status);
        Assert.InRange(drained.Seconds, 1, 2);
    }

    [Fact]
    public async Task A_peer_that_trickles_its_M2_has_5_s_and_what_it_sends_on_is_not_read_for_ever()
    {
        await using var fixture = await GatewayFixture.StartAsync();
        await using var agent = await RawAgent.UpgradeAsync(fixture.Server.Address, Protocol.BinarySubprotocol);
        Assert.NotNull(await agent.ReceiveAsync());
        var started = Environment.TickCount64;
        var answer = agent.ReceiveAsync();
        while (!answer.IsCompleted)
        {
            await agent.Socket.SendAsync(new byte[1], WebSocketMessageType.Binary, endOfMessage: false, CancellationToken.None);
            await Task.WhenAny(answer, Task.Delay(300));
        }

        Assert.Equal(RefusalMessage.Bytes.ToArray(), await answer);
        Assert.InRange(Environment.TickCount64 - started, 4500, 8000);
        await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            for (var i = 0; i < 10_000; i++)
            {
                await agent.Socket.SendAsync(new byte[4096], WebSocketMessageType.Binary, endOfMessage: false, CancellationToken.None);
            }
        });
        await fixture.AssertNothingHeldAsync();
        Assert.Equal(0, fixture.Counter("streams.gateway.signatures{handshake}"));
    }

    [Fact]
    public async Task One_handshake_costs_one_signature_check_whatever_follows()
    {
        await using var fixture = await GatewayFixture.StartAsync();
        using var identity = await fixture.EnrolAsync("agent-1");
        await using var agent = await RawAgent.UpgradeAsync(fixture.Server.Address, Protocol.BinarySubprotocol);
        byte[] sent = [];
        Assert.Equal(RefusalMessage.Bytes.ToArray(), await agent.AuthenticateAsync(identity, fixture.Roots, message =>
        {
            message[^1] ^= 1;
            return sent = message;
        }));
        for (var i = 0; i < 3; i++)
        {
            await agent.SendRawAsync(sent);
        }

        Assert.Null(await agent.ReceiveAsync());
        await agent.DisposeAsync();
        await fixture.AssertNothingHeldAsync();
        Assert.Equal(1, fixture.Counter("streams.gateway.signatures{handshake}"));
    }

    [Fact]
    public async Task A_request_of_more_than_4_KB_or_5_s_is_not_read_to_its_end()
    {
        await using var fixture = await GatewayFixture.StartAsync();
        using var large = await Dial.ConnectAsync(fixture.Server.Address, Encoding.ASCII.GetBytes($"GET {Protocol.Path} HTTP/1.1\r\nHost: g\r\nX: {new string('x', 5000)}"));
        Assert.StartsWith("HTTP/1.1 431", await Dial.ReadToEndAsync(large));
        using var slow = await Dial.ConnectAsync(fixture.Server.Address, Encoding.ASCII.GetBytes($"GET {Protocol.Path} HTTP/1.1\r\nHost: g\r\n"));
        using var silent = await Dial.ConnectAsync(fixture.Server.Address, []);
        var started = Environment.TickCount64;
        await Task.WhenAll(Dial.ReadToEndAsync(slow), Dial.ReadToEndAsync(silent));
        Assert.InRange(Environment.TickCount64 - started, 3500, 12_000);
        Assert.Equal(0, fixture.Server.Endpoint.Connections);
    }

    [Fact]
    public async Task An_agent_that_takes_nothing_is_not_waited_for()
    {
        await using var fixture = await GatewayFixture.StartAsync(options => options with { FrameTime = TimeSpan.FromSeconds(1) });
        using var identity = await fixture.EnrolAsync("agent-1");
        await using (var agent = await RawAgent.ConnectAsync(fixture.Server.Address, identity, fixture.Roots, new RawAgent { Handler = Dial.Plain([], receiveBytes: 2048) }))
        {
            await agent.WaitForCreditAsync(LaneClass.Event, 16 * 1024);
            ICreditHolder session = fixture.Server.Core.Registry.Find("agent-1")!;
            // Each tells the agent its credit, which fills what kernel and connection hold for it.
            await Eventually.TrueAsync(
                () =>
                {
                    for (var i = 0; i < 1000; i++)
                    {
                        session.CreditGranted();
                        Thread.Yield();
                    }

                    return fixture.Counter("streams.gateway.sessions.ended{slow}") == 1;
                },
                "ended",
                TimeSpan.FromSeconds(60));
        }

        await fixture.AssertNothingHeldAsync();
    }

    private static async Task<bool> GrantedAsync(RawAgent agent, ulong offset)
    {
        while (agent.Credit(LaneClass.Event) < offset)
        {
            if (await agent.ReceiveFrameAsync() is not { } frame)
            {
                return false;
            }
        }

        return true;
    }

    private static async Task<(HttpStatusCode Status, double Seconds)> UpgradeAsync(GatewayFixture fixture)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://{fixture.Server.Address}{Protocol.Path}");
        request.Headers.Connection.Add("Upgrade");
        request.Headers.Upgrade.Add(new ProductHeaderValue("websocket"));
        request.Headers.Add("Sec-WebSocket-Version", "13");
        request.Headers.Add("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
        request.Headers.Add("Sec-WebSocket-Protocol", Protocol.BinarySubprotocol);
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        return (response.StatusCode, response.Headers.RetryAfter?.Delta?.TotalSeconds ?? 0);
    }
}
