using System.Net;
using System.Net.WebSockets;
using System.Text;
using Streams.Gateway.Tests.Support;
using Streams.Testing;
using Streams.Wire;

namespace Streams.Gateway.Tests.Connections;

/// <summary>Behind a proxy: the source is the one that the proxy names, and only a configured proxy may name one.</summary>
public sealed class ProxyProtocolTests
{
    private static readonly string Request =
        $"GET {Protocol.Path} HTTP/1.1\r\nHost: gateway\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        + $"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: {Protocol.BinarySubprotocol}\r\n\r\n";

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task The_source_that_the_proxy_names_is_the_source(int version)
    {
        await using var fixture = await StartAsync("127.0.0.0/8");
        using var identity = await fixture.EnrolAsync("agent-1");
        var header = version == 1
            ? Encoding.ASCII.GetBytes("PROXY TCP4 192.0.2.7 198.51.100.1 40000 8080\r\n")
            : ProxyHeaderTests.Binary(0x21, 0x11, [192, 0, 2, 7, 198, 51, 100, 1, 0x9c, 0x40, 0x1f, 0x90]);
        await using var agent = await RawAgent.ConnectAsync(fixture.Server.Address, identity, fixture.Roots, new RawAgent { Handler = Dial.Plain(header) });
        await Eventually.TrueAsync(
            () => fixture.Log.Lines.Any(line => line.StartsWith("2002 ", StringComparison.Ordinal) && line.Contains("from 192.0.2.7,")), "the session from 192.0.2.7");
    }

    [Fact]
    public async Task Each_source_behind_a_proxy_has_a_bucket_of_its_own()
    {
        await using var fixture = await StartAsync("127.0.0.1/32", options => options with { SourceRate = 1, SourceBurst = 1 });
        Assert.StartsWith("HTTP/1.1 101", await FirstLineAsync(fixture, "PROXY TCP6 2001:db8:1:100::1 ::1 1 2\r\n"));
        Assert.StartsWith("HTTP/1.1 101", await FirstLineAsync(fixture, "PROXY TCP6 2001:db8:1:200::1 ::1 1 2\r\n"));
        Assert.StartsWith("HTTP/1.1 429", await FirstLineAsync(fixture, "PROXY TCP6 2001:db8:1:1ff::1 ::1 1 2\r\n"));
        // Its own health check counts for itself.
        Assert.StartsWith("HTTP/1.1 101", await FirstLineAsync(fixture, "PROXY UNKNOWN\r\n"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("PROXY TCP4 192.0.2.7 198.51.100.1 40000 8O80\r\n")]
    [InlineData("PROXY TCP4 192.0.2.7\r\n")]
    public async Task A_proxy_without_a_good_header_is_cut_off(string header)
    {
        await using var fixture = await StartAsync("127.0.0.0/8");
        using var socket = await Dial.ConnectAsync(fixture.Server.Address, Encoding.ASCII.GetBytes(header + Request));
        Assert.Equal("", await Dial.ReadToEndAsync(socket));
        Assert.Equal(1, fixture.Counter("streams.gateway.handshakes.refused{proxy_header}"));
        Assert.Equal(0, fixture.Server.Endpoint.Connections);
    }

    [Fact]
    public async Task A_proxy_that_says_nothing_is_cut_off_after_the_time_of_a_handshake()
    {
        await using var fixture = await StartAsync("127.0.0.0/8");
        using var socket = await Dial.ConnectAsync(fixture.Server.Address, "PROXY TCP4 "u8.ToArray());
        var started = Environment.TickCount64;
        Assert.Equal("", await Dial.ReadToEndAsync(socket));
        Assert.InRange(Environment.TickCount64 - started, 4000, 12_000);
        Assert.Equal(1, fixture.Counter("streams.gateway.handshakes.refused{proxy_header}"));
    }

    [Fact]
    public async Task From_any_other_address_a_header_is_garbage()
    {
        await using var fixture = await StartAsync("10.0.0.0/8");
        Assert.StartsWith("HTTP/1.1 400", await FirstLineAsync(fixture, "PROXY TCP4 192.0.2.7 198.51.100.1 40000 8080\r\n"));
        Assert.Equal(0, fixture.Server.Endpoint.Connections);
        Assert.StartsWith("HTTP/1.1 101", await FirstLineAsync(fixture, ""));
        Assert.DoesNotContain(fixture.Log.Lines, line => line.Contains("192.0.2.7"));
    }

    [Fact]
    public async Task The_header_comes_before_TLS()
    {
        using var directory = new TempDirectory("tls");
        using var certificates = new TestCertificates(directory.Path);
        certificates.Issue();
        await using var fixture = await StartAsync("127.0.0.0/8", options => options with
        {
            TlsCertificateFile = certificates.CertificateFile,
            TlsKeyFile = certificates.KeyFile,
            SourceRate = 1,
            SourceBurst = 1,
        });
        using var identity = await fixture.EnrolAsync("agent-1");
        await using var agent = await RawAgent.ConnectAsync(fixture.Server.Address, identity, fixture.Roots, Behind("192.0.2.7"));
        await Eventually.TrueAsync(
            () => fixture.Log.Lines.Any(line => line.StartsWith("2002 ", StringComparison.Ordinal) && line.Contains("from 192.0.2.7,")), "the session from 192.0.2.7");
        await Assert.ThrowsAsync<WebSocketException>(() => RawAgent.UpgradeAsync(Behind("192.0.2.7"), fixture.Server.Address, Protocol.BinarySubprotocol));
        Assert.Equal(1, fixture.Counter("streams.gateway.handshakes.refused{source_rate}"));
        await using var other = await RawAgent.UpgradeAsync(Behind("192.0.2.8"), fixture.Server.Address, Protocol.BinarySubprotocol);
        Assert.Equal(WebSocketState.Open, other.Socket.State);

        RawAgent Behind(string source) => new()
        {
            Scheme = "wss",
            Handler = Dial.Secure(certificates.Authority, first: Encoding.ASCII.GetBytes($"PROXY TCP4 {source} 198.51.100.1 40000 8080\r\n")),
        };
    }

    private static Task<GatewayFixture> StartAsync(string from, Func<GatewayOptions, GatewayOptions>? change = null) =>
        GatewayFixture.StartAsync(options => (change ?? (same => same))(options with { ProxyFrom = [IPNetwork.Parse(from)] }));

    private static async Task<string> FirstLineAsync(GatewayFixture fixture, string header)
    {
        using var socket = await Dial.ConnectAsync(fixture.Server.Address, Encoding.ASCII.GetBytes(header + Request));
        var buffer = new byte[1024];
        return Encoding.Latin1.GetString(buffer, 0, await socket.ReceiveAsync(buffer));
    }
}
