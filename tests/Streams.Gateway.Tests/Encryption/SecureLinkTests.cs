using Streams.AgentLink;
using Streams.AgentLink.Connect;
using Streams.AgentLink.Tls;
using Streams.Gateway.Tests.Support;
using Streams.Schema;
using Streams.Testing;
using Streams.Wire.Handshake;

namespace Streams.Gateway.Tests.Encryption;

/// <summary>The agent's own link with TLS, through a proxy, and between two gateways: against real ones.</summary>
public sealed class SecureLinkTests : IDisposable
{
    private readonly TempDirectory _directory = new("tls");
    private readonly TestCertificates _certificates;

    public SecureLinkTests() => _certificates = new TestCertificates(_directory.Path);

    public void Dispose()
    {
        _certificates.Dispose();
        _directory.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Batches_arrive_over_TLS_and_through_a_proxy(bool proxied)
    {
        _certificates.Issue();
        await using var fixture = await StartAsync();
        using var identity = await fixture.EnrolAsync("agent-1");
        await using var proxy = new ConnectProxy("agent:secret");
        var choice = ProxyChoice.None;
        Assert.True(!proxied || ProxyChoice.TryParse($"http://agent:secret@127.0.0.1:{proxy.Port}", out choice));
        using var link = Link(fixture, identity, Address(fixture), _ => { }, options => options with { Proxy = choice! });
        await using (LinkRun.Start(link))
        {
            // More than TLS has in one record, in one frame.
            for (var i = 0; i < 20; i++)
            {
                Assert.Equal(AppendResult.Appended, link.TryAppend(PriorityClass.Event, new OneBatch(30_000)));
            }

            await Eventually.TrueAsync(() => fixture.Counter("streams.gateway.sent.batches{event}") == 20, "all batches are in the queue");
            Assert.Equal(proxied ? 1 : 0, proxy.Tunnels.Count);
        }

        await fixture.AssertNothingHeldAsync();
    }

    [Theory]
    [InlineData("other name", "the certificate is not for 127.0.0.1")]
    [InlineData("other authority", "the certificate is not trusted: ")]
    [InlineData("system", "the certificate is not trusted: ")]
    [InlineData("no file", "Could not find file")]
    [InlineData("no certificate in it", "holds no certificate in PEM form")]
    [InlineData("plain", "TLS: there was no handshake")]
    public async Task A_server_that_cannot_be_trusted_is_not_spoken_to(string what, string words)
    {
        _certificates.Issue(what == "other name" ? ["gateway.example.org", "127.0.0.2"] : null);
        await using var fixture = what == "plain" ? await GatewayFixture.StartAsync() : await StartAsync();
        using var identity = await fixture.EnrolAsync("agent-1");
        using var elsewhere = new TempDirectory("other");
        using var others = new TestCertificates(elsewhere.Path);
        File.WriteAllText(elsewhere.File("empty.pem"), "");
        var file = what switch
        {
            "other authority" => others.AuthorityFile,
            "system" => null,
            "no file" => elsewhere.File("nothing.pem"),
            "no certificate in it" => elsewhere.File("empty.pem"),
            _ => _certificates.AuthorityFile,
        };
        var told = new TaskCompletionSource<LinkEvent>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var link = Link(
            fixture, identity, Address(fixture), happened => told.TrySetResult(happened), options => options with { Tls = new TlsClient(file) });
        await using (LinkRun.Start(link))
        {
            var first = await told.Task.WaitAsync(TimeSpan.FromSeconds(20));
            Assert.Equal(LinkEventKind.Disconnected, first.Kind);
            Assert.StartsWith(Address(fixture).Authority, first.Detail);
            Assert.Contains(words, first.Detail);
            Assert.DoesNotContain('\n', first.Detail);
        }

        Assert.Equal(0, fixture.Counter("streams.gateway.signatures{handshake}"));
    }

    [Fact]
    public async Task When_its_gateway_stops_an_agent_goes_on_at_the_other()
    {
        await using var fixture = await GatewayFixture.StartAsync();
        using var identity = await fixture.EnrolAsync("agent-1");
        GatewayServer[] gateways = [await fixture.StartGatewayAsync(fixture.Options), await fixture.StartGatewayAsync(fixture.Options)];
        using var link = Link(
            fixture, identity, Plain(gateways[0]), _ => { }, options => options with { OtherGateways = [Plain(gateways[1])] });
        await using (LinkRun.Start(link))
        {
            // At whichever was drawn.
            await Eventually.TrueAsync(() => gateways.Sum(gateway => gateway.Sessions) == 1, "a session");
            var (left, stays) = gateways[0].Sessions == 1 ? (gateways[0], gateways[1]) : (gateways[1], gateways[0]);
            Assert.Equal(AppendResult.Appended, link.TryAppend(PriorityClass.Event, new OneBatch(600)));
            await fixture.ReadAsync("agent-1", 1);
            await left.StopAsync(CancellationToken.None);
            await Eventually.TrueAsync(() => stays.Sessions == 1, "a session at the gateway that is left", TimeSpan.FromSeconds(20));
            Assert.Equal(AppendResult.Appended, link.TryAppend(PriorityClass.Event, new OneBatch(600)));
            // The first was not told to be committed, so it may come again.
            await Eventually.TrueAsync(() => fixture.Counter("streams.gateway.sent.batches{event}") >= 2, "the second batch is in the queue");
        }

        await Task.WhenAll(gateways.Select(gateway => gateway.StopAsync(CancellationToken.None)));

        static Uri Plain(GatewayServer gateway) => new($"ws://{gateway.Address}");
    }

    private Task<GatewayFixture> StartAsync() => GatewayFixture.StartAsync(options => options with
    {
        TlsCertificateFile = _certificates.CertificateFile,
        TlsKeyFile = _certificates.KeyFile,
    });

    private static Uri Address(GatewayFixture fixture) => new($"wss://{fixture.Server.Address}");

    private AgentLink.AgentLink Link(
        GatewayFixture fixture, AgentIdentity identity, Uri gateway, Action<LinkEvent> happened, Func<AgentLinkOptions, AgentLinkOptions> change)
    {
        ulong connects = 0;
        return new AgentLink.AgentLink(
            change(new AgentLinkOptions
            {
                Gateway = gateway,
                Tls = new TlsClient(_certificates.AuthorityFile),
                Roots = fixture.Roots,
                HostName = "host-1",
                AgentVersion = "test",
                BackoffBase = TimeSpan.FromMilliseconds(50),
                BackoffMax = TimeSpan.FromMilliseconds(200),
            }),
            identity,
            new AgentLinkHooks { NextConnectCounter = () => ++connects, OnEvent = happened });
    }

    private readonly struct OneBatch(int bytes) : IBatchSealer
    {
        public int MaxSealedBytes => bytes + 2048;

        public bool TryDigest(BatchName name, ushort catalogue, ISha256 hash, Span<byte> digest) => false;

        public int Seal(BatchName name, ushort catalogue, Span<byte> destination)
        {
            var batch = Batches.Make(name.Epoch, name.Lane, name.N, bytes);
            batch.CopyTo(destination);
            return batch.Length;
        }
    }
}
