using System.Net;
using System.Net.Sockets;
using Streams.AgentLink.Connect;
using Streams.AgentLink.Tests.Gateway;
using Streams.Testing;

namespace Streams.AgentLink.Tests;

/// <summary>Several gateways, and proxies on the way to them.</summary>
public sealed class DialTests
{
    [Theory]
    [InlineData(null)]
    [InlineData("agent:p@ss:w%rd")]
    public async Task ASessionGoesThroughTheTunnelOfAProxy(string? credentials)
    {
        using var gateway = new ScriptedGateway();
        await using var proxy = new ConnectProxy(credentials);
        var user = credentials is null ? "" : $"{Uri.EscapeDataString("agent")}:{Uri.EscapeDataString("p@ss:w%rd")}@";
        await using var link = new RunningLink(gateway, options => options with { Proxy = Through(proxy, user) });
        await using var peer = await gateway.AcceptSessionAsync();
        link.Next(LinkEventKind.Connected);
        Assert.Equal($"127.0.0.1:{gateway.Uri.Port}", Assert.Single(proxy.Tunnels));
    }

    [Theory]
    [InlineData("", "wants a user and a password: give them in link.proxy")]
    [InlineData("agent:wrong@", "does not take this user and password")]
    public async Task AProxyThatWantsAPasswordIsTold(string user, string words)
    {
        using var gateway = new ScriptedGateway();
        await using var proxy = new ConnectProxy("agent:right");
        await using var link = new RunningLink(gateway, options => options with { Proxy = Through(proxy, user) });
        var told = link.Next(LinkEventKind.Disconnected).Detail;
        Assert.Contains(words, told);
        Assert.DoesNotContain("wrong", told);
    }

    [Theory]
    [InlineData("HTTP/1.1 403 Forbidden\r\n\r\n", "gives no tunnel to 127.0.0.1:", "403 Forbidden")]
    [InlineData("HTTP/1.1 502 Bad\u0007 Gateway\r\nRetry-After: 7\r\n\r\n", "gives no tunnel", "502 Bad Gateway")]
    [InlineData("SSH-2.0-x\r\n\r\n", "gives no tunnel", "SSH-2.0-x")]
    [InlineData("HTTP/1.1 200 OK\r\n\r\nhello", "sent bytes that no gateway sent", "")]
    [InlineData("", "the connection closed during CONNECT", "")]
    public async Task AProxyThatRefusesIsTold(string answer, string words, string more)
    {
        using var gateway = new ScriptedGateway();
        await using var proxy = new ConnectProxy { Answer = answer };
        await using var link = new RunningLink(gateway, options => options with { Proxy = Through(proxy, "") });
        var told = link.Next(LinkEventKind.Disconnected);
        Assert.Contains(words, told.Detail);
        Assert.Contains(more, told.Detail);
        if (answer.Contains("Retry-After", StringComparison.Ordinal))
        {
            Assert.InRange(told.RetryIn.TotalSeconds, 6, 9);
        }
    }

    [Fact]
    public async Task AnAnswerWithoutEndIsNotReadForEver()
    {
        using var gateway = new ScriptedGateway();
        await using var proxy = new ConnectProxy { Answer = "HTTP/1.1 200 OK\r\nX: " + new string('x', 5000) };
        await using var link = new RunningLink(gateway, options => options with { Proxy = Through(proxy, "") });
        Assert.Contains("the answer to CONNECT is too long", link.Next(LinkEventKind.Disconnected).Detail);
    }

    [Fact]
    public async Task OneRoundTriesEveryGatewayAndNamesThoseThatFail()
    {
        using var gateway = new ScriptedGateway();
        using var busy = new TcpListener(IPAddress.Loopback, 0);
        busy.Start();
        var closed = new TcpListener(IPAddress.Loopback, 0);
        closed.Start();
        var gone = (IPEndPoint)closed.LocalEndpoint;
        closed.Stop();
        var answering = AnswerAsync(busy);
        // Both others are tried before long, in whatever order: with one back-off of a minute between rounds it is one round.
        await using var link = new RunningLink(gateway, options => options with
        {
            Gateway = new Uri($"ws://{gone}"),
            OtherGateways = [new Uri($"ws://{busy.LocalEndpoint}"), gateway.Uri],
            BackoffBase = TimeSpan.FromMinutes(1),
            BackoffMax = TimeSpan.FromMinutes(1),
        });
        await using var peer = await gateway.AcceptSessionAsync();
        link.Next(LinkEventKind.Connected);
        busy.Stop();
        await answering;

        static async Task AnswerAsync(TcpListener listener)
        {
            try
            {
                while (true)
                {
                    using var socket = await listener.AcceptSocketAsync();
                    await socket.ReceiveAsync(new byte[4096]);
                    await socket.SendAsync("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 60\r\n\r\n"u8.ToArray());
                }
            }
            catch (Exception error) when (error is SocketException or ObjectDisposedException)
            {
                // Stopped.
            }
        }
    }

    [Fact]
    public async Task WhenAllFailEachIsNamedAndTheLastSaysWhenTheNextRoundIs()
    {
        using var gateway = new ScriptedGateway();
        await using var proxy = new ConnectProxy { Answer = "HTTP/1.1 503 x\r\n\r\n" };
        await using var link = new RunningLink(gateway, options => options with
        {
            OtherGateways = [new Uri("ws://127.0.0.1:1"), new Uri("ws://127.0.0.1:2")],
            Proxy = Through(proxy, ""),
            BackoffBase = TimeSpan.FromMinutes(1),
            BackoffMax = TimeSpan.FromMinutes(1),
        });
        LinkEvent[] told = [link.Next(LinkEventKind.Disconnected), link.Next(LinkEventKind.Disconnected), link.Next(LinkEventKind.Disconnected)];
        Assert.Equal(3, told.Select(one => one.Detail.Split(' ')[0]).Distinct().Count());
        Assert.All(told, one => Assert.StartsWith("127.0.0.1:", one.Detail));
        Assert.Equal([true, true, false], told.Select(one => one.RetryIn == TimeSpan.Zero));
    }

    [Fact]
    public void EveryGatewayIsFirstAboutAsOften()
    {
        var rounds = new GatewayRounds([.. Enumerable.Range(1, 4).Select(i => new Uri($"ws://gw{i}"))], new Random(3), new ManualClock());
        var first = new int[4];
        for (var i = 0; i < 4000; i++)
        {
            var round = rounds.Round().ToArray();
            Assert.Equal([0, 1, 2, 3], round.Order());
            first[round[0]]++;
        }

        Assert.All(first, times => Assert.InRange(times, 850, 1150));
    }

    [Fact]
    public void WhoSaidWhenToComeBackIsLeftOutUntilThenUnlessAllSaid()
    {
        var time = new ManualClock();
        var rounds = new GatewayRounds([new Uri("ws://a"), new Uri("ws://b")], new Random(3), time);
        rounds.Refused(0, TimeSpan.FromSeconds(30));
        Assert.Equal(TimeSpan.Zero, rounds.Wish());
        Assert.Equal([1], rounds.Round());
        rounds.Refused(1, TimeSpan.FromSeconds(10));
        Assert.Equal(TimeSpan.FromSeconds(10), rounds.Wish());
        Assert.Equal([1], rounds.Round());
        time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal([1], rounds.Round());
        time.Advance(TimeSpan.FromSeconds(20));
        Assert.Equal([0, 1], rounds.Round().Order());
        // Nobody silences an agent for good.
        rounds.Refused(0, TimeSpan.FromDays(1));
        rounds.Refused(1, TimeSpan.FromDays(1));
        Assert.Equal(TimeSpan.FromHours(1), rounds.Wish());
    }

    [Fact]
    public void WithoutTlsAWssGatewayIsRefusedBeforeAnythingIsDone()
    {
        using var gateway = new ScriptedGateway();
        Assert.Contains("needs TLS", (gateway.Options with { Gateway = new Uri("wss://gw") }).Validate());
        Assert.Contains("needs TLS", (gateway.Options with { OtherGateways = [new Uri("wss://gw")] }).Validate());
    }

    private static ProxyChoice Through(ConnectProxy proxy, string user) =>
        ProxyChoice.TryParse($"http://{user}127.0.0.1:{proxy.Port}", out var choice) ? choice! : throw new ArgumentException(user);

    private sealed class ManualClock : TimeProvider
    {
        private long _now = 1;

        public override long TimestampFrequency => 1000;

        public override long GetTimestamp() => _now;

        public void Advance(TimeSpan time) => _now += (long)time.TotalMilliseconds;
    }
}
