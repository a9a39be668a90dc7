using System.Text;
using Streams.AgentLink.Connect;
using Streams.AgentLink.Tests.Gateway;
using Streams.Wire;
using Streams.Wire.Crypto;
using Streams.Wire.Handshake;
using Streams.Wire.Messages;

namespace Streams.AgentLink.Tests;

public sealed class RefusalTests
{
    [Fact]
    public async Task ARefusalIsReportedAndTriedAgain()
    {
        using var gateway = new ScriptedGateway();
        await using var link = new RunningLink(gateway);
        await using (var peer = await gateway.AcceptAsync())
        {
            using var handshake = await peer.HelloAsync();
            await peer.ReceiveMessageAsync();
            await peer.SendMessageAsync(RefusalMessage.Bytes.ToArray());
            Assert.Contains(nameof(RefusalReason.RefusedByGateway), link.Next(LinkEventKind.Refused).Detail, StringComparison.Ordinal);
        }

        await using var next = await gateway.AcceptSessionAsync();
        Assert.NotNull(next.Ready);
        Assert.Equal(1UL, link.Link.Status.FailedAttempts);
    }

    [Fact]
    public async Task AGatewayOfAnotherRootGetsNothing()
    {
        using var gateway = new ScriptedGateway();
        using var otherRoot = SigningKey.Generate();
        await using var link = new RunningLink(gateway, o => o with { Roots = new FleetRoots(otherRoot.PublicKey.ToArray()) });
        await AssertRefusedAsync(gateway, link, RefusalReason.UnknownRoot);
    }

    [Theory]
    [InlineData("gw-other", -60, 60, RefusalReason.UnexpectedGateway)]
    [InlineData("gw-test", -120, -60, RefusalReason.CertificateExpired)]
    [InlineData("gw-test", 60, 120, RefusalReason.CertificateNotYetValid)]
    public async Task ACertificateThatDoesNotFitGetsNothing(string name, int from, int until, RefusalReason reason)
    {
        using var gateway = new ScriptedGateway();
        gateway.Identity.Dispose();
        var key = SigningKey.Generate();
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        gateway.Identity = new GatewayIdentity(key, FleetCertificate.Create(gateway.Root, CertificateUse.Gateway, name, key.PublicKey, now + from, now + until, 1));
        await using var link = new RunningLink(gateway);
        await AssertRefusedAsync(gateway, link, reason);
    }

    [Fact]
    public async Task AnExpiredCertificateIsAcceptedWhenTheClockIsKnownBadAndThatIsSaid()
    {
        using var gateway = new ScriptedGateway();
        gateway.Identity.Dispose();
        var key = SigningKey.Generate();
        gateway.Identity = new GatewayIdentity(key, FleetCertificate.Create(gateway.Root, CertificateUse.Gateway, "gw-test", key.PublicKey, 1, 2, 1));
        await using var link = new RunningLink(gateway, o => o with { ClockFloor = DateTimeOffset.MaxValue });
        await using var peer = await gateway.AcceptSessionAsync();
        link.Next(LinkEventKind.DatesNotChecked);
        Assert.NotNull(peer.Ready);
    }

    [Theory]
    [InlineData("1970-01-01T00:00:12Z", false)]
    [InlineData("2000-01-01T00:00:00Z", false)]
    [InlineData("2025-11-10T23:59:59Z", false)]
    [InlineData("2025-11-11T00:00:00Z", true)]
    [InlineData("2038-01-19T03:14:08Z", true)]
    public void AClockBeforeTheProgramCanHaveBeenBuiltIsNotTrusted(string now, bool trusted) =>
        Assert.Equal(trusted, ClockFloor.Trusts(DateTimeOffset.Parse(now, System.Globalization.CultureInfo.InvariantCulture), ClockFloor.Default));

    [Fact]
    public async Task AHostThatWakesUpIn1970ConnectsWithoutAnySettingAndSaysSo()
    {
        using var gateway = new ScriptedGateway();
        await using var link = new RunningLink(gateway, time: new Clock1970());
        await using var peer = await gateway.AcceptSessionAsync();
        Assert.Contains("1970-01-01", link.Next(LinkEventKind.DatesNotChecked).Detail, StringComparison.Ordinal);
        Assert.NotNull(peer.Ready);
    }

    [Fact]
    public async Task ADowngradedSubprotocolIsRefused()
    {
        using var gateway = new ScriptedGateway();
        await using var link = new RunningLink(gateway);
        await using var peer = await gateway.AcceptAsync(Protocol.JsonSubprotocol);
        Assert.Contains(Protocol.BinarySubprotocol, link.Next(LinkEventKind.Refused).Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RetryAfterOfABusyGatewayIsHonoured()
    {
        using var gateway = new ScriptedGateway();
        await using var link = new RunningLink(gateway);
        using (var socket = await gateway.AcceptSocketAsync())
        {
            await ScriptedPeer.ReadHeadAsync(socket);
            await socket.SendAsync(Encoding.ASCII.GetBytes("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"));
            var ended = link.Next(LinkEventKind.Disconnected);
            Assert.Contains("503", ended.Detail, StringComparison.Ordinal);
            Assert.InRange(ended.RetryIn.TotalSeconds, 1, 1.25);
        }

        await using var next = await gateway.AcceptSessionAsync();
        Assert.NotNull(next.Ready);
    }

    [Fact]
    public async Task AGoodbyeInThePlaceOfTheSessionIsHonoured()
    {
        using var gateway = new ScriptedGateway();
        await using var link = new RunningLink(gateway);
        await using (var peer = await gateway.AcceptAsync())
        {
            await peer.AcceptAsync();
            await peer.GoodbyeAsync(GoodbyeReason.Unavailable, 1000);
            var ended = link.Next(LinkEventKind.Disconnected);
            Assert.Contains("Unavailable", ended.Detail, StringComparison.Ordinal);
            Assert.InRange(ended.RetryIn.TotalSeconds, 1, 1.25);
        }

        await using var next = await gateway.AcceptSessionAsync();
        Assert.NotNull(next.Ready);
    }

    [Fact]
    public async Task ASilentGatewayTimesOut()
    {
        using var gateway = new ScriptedGateway();
        await using var link = new RunningLink(gateway, o => o with { HandshakeTimeout = TimeSpan.FromMilliseconds(200) });
        await using var peer = await gateway.AcceptAsync();
        Assert.Contains("timed out", link.Next(LinkEventKind.Refused).Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AForgedAcceptIsRefused()
    {
        using var gateway = new ScriptedGateway();
        await using var link = new RunningLink(gateway);
        await using var peer = await gateway.AcceptAsync();
        using var handshake = await peer.HelloAsync();
        await peer.ReceiveMessageAsync();
        var accept = new byte[GatewayHandshake.AcceptBytes];
        accept[0] = 3;
        await peer.SendMessageAsync(accept);
        Assert.Contains(nameof(RefusalReason.BadSignature), link.Next(LinkEventKind.Refused).Detail, StringComparison.Ordinal);
    }

    private static async Task AssertRefusedAsync(ScriptedGateway gateway, RunningLink link, RefusalReason reason)
    {
        await using var peer = await gateway.AcceptAsync();
        using var handshake = await peer.HelloAsync();
        Assert.Contains(reason.ToString(), link.Next(LinkEventKind.Refused).Detail, StringComparison.Ordinal);

        // No M2 was sent: the agent shows itself only to a gateway that it has verified.
        var closed = await Assert.ThrowsAsync<InvalidOperationException>(() => peer.ReceiveMessageAsync());
        Assert.Equal($"closed {(int)CloseCode.Refused}", closed.Message);
    }

    private sealed class Clock1970 : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddSeconds(12);
    }
}
