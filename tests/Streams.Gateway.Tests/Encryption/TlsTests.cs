using System.Net.Security;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using Streams.Gateway.Encryption;
using Streams.Gateway.Tests.Support;
using Streams.Testing;
using Streams.Wire;

namespace Streams.Gateway.Tests.Encryption;

/// <summary>The agents' port with TLS.</summary>
public sealed class TlsTests : IDisposable
{
    private readonly TempDirectory _directory = new("tls");
    private readonly TestCertificates _certificates;
    private string _serial = "";

    public TlsTests() => _certificates = new TestCertificates(_directory.Path);

    public void Dispose()
    {
        _certificates.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public async Task A_renewed_certificate_is_for_new_connections_and_a_living_session_goes_on()
    {
        var before = _certificates.Issue();
        await using var fixture = await StartAsync();
        using var first = await fixture.EnrolAsync("agent-1");
        using var second = await fixture.EnrolAsync("agent-2");
        await using var agent = await RawAgent.ConnectAsync(fixture.Server.Address, first, fixture.Roots, Secure());
        Assert.Equal(before, _serial);
        await agent.WaitForCreditAsync(LaneClass.Event, 16 * 1024);

        var after = _certificates.Issue();
        await Eventually.TrueAsync(() => Logged(fixture, 2040) == 1, "the renewal is seen");
        await using var other = await RawAgent.ConnectAsync(fixture.Server.Address, second, fixture.Roots, Secure());
        Assert.Equal(after, _serial);
        Assert.NotEqual(before, after);
        await agent.SendDataAsync(Batches.Pad(Batches.Make(agent.Epoch, 1, 0)));
        Assert.Equal(1U, Assert.Single(await fixture.ReadAsync("agent-1", 1)).Headers.Count);
        await Eventually.TrueAsync(() => fixture.Server.Sessions == 2, "both sessions");
    }

    [Fact]
    public async Task A_renewal_that_cannot_be_used_is_told_once_and_the_certificate_stays()
    {
        var good = _certificates.Issue();
        await using var fixture = await StartAsync();
        _certificates.Issue(to: DateTimeOffset.UtcNow.AddMinutes(-1));
        await Eventually.TrueAsync(() => Logged(fixture, 2041, "expired on") == 1, "the expired one is told");
        _certificates.Issue(key: false);
        await Eventually.TrueAsync(() => Logged(fixture, 2041, "does not belong to") == 1, "the mismatch is told");
        await using (var agent = await RawAgent.UpgradeAsync(Secure(), fixture.Server.Address, Protocol.BinarySubprotocol))
        {
            Assert.Equal(good, _serial);
        }

        var next = _certificates.Issue();
        await Eventually.TrueAsync(() => Logged(fixture, 2040) == 1, "the renewal is seen");
        await using var last = await RawAgent.UpgradeAsync(Secure(), fixture.Server.Address, Protocol.BinarySubprotocol);
        Assert.Equal(next, _serial);
        // A look every 20 ms, and yet each was told once.
        Assert.Equal(2, Logged(fixture, 2041));
    }

    [Theory]
    [InlineData("expired", "expired on ")]
    [InlineData("future", "is valid from ")]
    [InlineData("mismatch", "does not belong to the first certificate of")]
    [InlineData("no key", "holds no private key in PEM form")]
    [InlineData("encrypted", "is encrypted with a password")]
    [InlineData("no certificate", "holds no certificate")]
    [InlineData("garbage", "TLS certificate")]
    [InlineData("readable", "chmod o-r")]
    [InlineData("absent", "Could not find file")]
    public void Files_that_cannot_be_used_refuse_the_start_with_words(string what, string words)
    {
        _certificates.Issue();
        switch (what)
        {
            case "expired":
                _certificates.Issue(to: DateTimeOffset.UtcNow.AddMinutes(-1));
                break;
            case "future":
                _certificates.Issue(from: DateTimeOffset.UtcNow.AddHours(1));
                break;
            case "mismatch":
                _certificates.Issue(key: false);
                break;
            case "no key":
                File.Copy(_certificates.CertificateFile, _certificates.KeyFile, overwrite: true);
                File.SetUnixFileMode(_certificates.KeyFile, UnixFileMode.UserRead);
                break;
            case "encrypted":
                File.WriteAllText(_certificates.KeyFile, "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n");
                break;
            case "no certificate":
                File.WriteAllText(_certificates.CertificateFile, "hello\n");
                break;
            case "garbage":
                File.WriteAllText(_certificates.CertificateFile, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
                break;
            case "readable":
                File.SetUnixFileMode(_certificates.KeyFile, UnixFileMode.UserRead | UnixFileMode.OtherRead);
                break;
            default:
                File.Delete(_certificates.KeyFile);
                break;
        }

        var log = new TestLog();
        var error = Assert.Throws<GatewayException>(() => TlsCertificate.Load(_certificates.CertificateFile, _certificates.KeyFile, log));
        Assert.Contains(words, error.Message);
    }

    [Fact]
    public async Task A_source_pays_for_its_TLS_handshake_and_who_begins_none_is_cut_off()
    {
        _certificates.Issue();
        await using var fixture = await StartAsync(options => options with { SourceRate = 1, SourceBurst = 2 });
        using var idle = await Dial.ConnectAsync(fixture.Server.Address, []);
        var started = Environment.TickCount64;
        await using var agent = await RawAgent.UpgradeAsync(Secure(), fixture.Server.Address, Protocol.BinarySubprotocol);
        await Assert.ThrowsAsync<WebSocketException>(() => RawAgent.UpgradeAsync(Secure(), fixture.Server.Address, Protocol.BinarySubprotocol));
        Assert.Equal(1, fixture.Counter("streams.gateway.handshakes.refused{source_rate}"));
        Assert.Equal("", await Dial.ReadToEndAsync(idle));
        Assert.InRange(Environment.TickCount64 - started, 4000, 12_000);
    }

    [Fact]
    public async Task Only_so_many_TLS_handshakes_are_done_at_once()
    {
        _certificates.Issue();
        await using var fixture = await StartAsync(options => options with { MaxHandshakes = 1, HandshakeQueue = TimeSpan.FromMilliseconds(200) });
        // Which of two connections is served first is not said: until the idle one was.
        await Eventually.TrueAsync(
            async () =>
            {
                using var idle = await Dial.ConnectAsync(fixture.Server.Address, []);
                return !await CanUpgradeAsync();
            },
            "the idle one has the place");
        Assert.True(fixture.Counter("streams.gateway.handshakes.refused{handshake_queue}") >= 1);
        await Eventually.TrueAsync(CanUpgradeAsync, "the place is free again");

        async Task<bool> CanUpgradeAsync()
        {
            try
            {
                await using var agent = await RawAgent.UpgradeAsync(Secure(), fixture.Server.Address, Protocol.BinarySubprotocol);
                return true;
            }
            catch (WebSocketException)
            {
                return false;
            }
        }
    }

    [Fact]
    public async Task Only_HTTP_1_1_is_spoken_behind_TLS_and_nothing_without_it()
    {
        _certificates.Issue();
        await using var fixture = await StartAsync();
        using var socket = await Dial.ConnectAsync(fixture.Server.Address, []);
        await using var tls = new SslStream(new NetworkStream(socket, ownsSocket: false), false, (_, _, _, _) => true);
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
            ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11],
        });
        Assert.Equal(SslApplicationProtocol.Http11, tls.NegotiatedApplicationProtocol);
        using var plain = await Dial.ConnectAsync(fixture.Server.Address, "GET / HTTP/1.1\r\nHost: gateway\r\n\r\n"u8.ToArray());
        Assert.DoesNotContain("HTTP", await Dial.ReadToEndAsync(plain));
    }

    /// <summary>Its end disposes what the deadline is about to wake.</summary>
    [Fact]
    public async Task A_peer_that_upgrades_and_says_no_more_ends_at_the_deadline_and_is_no_fault()
    {
        _certificates.Issue();
        await using var fixture = await StartAsync();
        using var socket = await Dial.ConnectAsync(fixture.Server.Address, []);
        await using var tls = new SslStream(new NetworkStream(socket, ownsSocket: false), false, (_, _, _, _) => true);
        await tls.AuthenticateAsClientAsync("localhost");
        await tls.WriteAsync(Encoding.ASCII.GetBytes(
            $"GET {Protocol.Path} HTTP/1.1\r\nHost: g\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            + $"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: {Protocol.BinarySubprotocol}\r\n\r\n"));
        using var said = new MemoryStream();
        try
        {
            await tls.CopyToAsync(said);
        }
        catch (IOException)
        {
            // Cut off, without TLS's own goodbye.
        }

        Assert.StartsWith("HTTP/1.1 101", Encoding.Latin1.GetString(said.ToArray()));
        Assert.Equal(1, fixture.Counter("streams.gateway.handshakes.refused{TimedOut}"));
        await fixture.AssertNothingHeldAsync();
        Assert.Equal(0, fixture.Counter("streams.gateway.errors{wheel}"));
    }

    private Task<GatewayFixture> StartAsync(Func<GatewayOptions, GatewayOptions>? change = null) => GatewayFixture.StartAsync(options =>
        (change ?? (same => same))(options with
        {
            TlsCertificateFile = _certificates.CertificateFile,
            TlsKeyFile = _certificates.KeyFile,
            TlsInterval = TimeSpan.FromMilliseconds(20),
        }));

    private RawAgent Secure() => new()
    {
        Scheme = "wss",
        Handler = Dial.Secure(_certificates.Authority, certificate => _serial = certificate.GetSerialNumberString()),
    };

    private static int Logged(GatewayFixture fixture, int id, string words = "") =>
        fixture.Log.Lines.Count(line => line.StartsWith($"{id} ", StringComparison.Ordinal) && line.Contains(words));
}
