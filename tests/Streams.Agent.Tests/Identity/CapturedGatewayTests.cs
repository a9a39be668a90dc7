using System.Buffers.Text;
using Streams.Agent.Logging;
using Streams.Agent.Modules.Core.Identity;
using Streams.AgentLink;
using Streams.AgentLink.Tests.Gateway;
using Streams.Control.Identity;
using Streams.Testing;
using Streams.Wire;
using Streams.Wire.Crypto;
using Streams.Wire.Handshake;
using Streams.Wire.Messages;

namespace Streams.Agent.Tests.Identity;

/// <summary>
/// The attacker is the gateway that a host changes its key through: it lets every key in, says what it likes and tells the Registry what it
/// likes. Whatever it does, the next honest gateway has a session with the host.
/// </summary>
public sealed class CapturedGatewayTests : IAsyncLifetime
{
    private readonly TempDirectory _folder = new("captured");
    private readonly ScriptedGateway _gateway = new();
    private RegistryModel _registry = null!;
    private Host _host = null!;

    public Task InitializeAsync()
    {
        using (var key = Files.ReadOrMake())
            _registry = new RegistryModel(_gateway.Agent.AgentId, key.PublicKey.ToArray());
        _gateway.LetsIn = _ => true;
        _host = new Host(_gateway, Files, _folder.Path);
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await _host.DisposeAsync();
        _gateway.Dispose();
        _folder.Dispose();
    }

    private AgentKeyFiles Files => new(_folder.File("agent.key"));

    [Theory]
    [InlineData(1, false)]
    [InlineData(1, true)]
    [InlineData(2, false)]
    [InlineData(2, true)]
    public async Task A_gateway_that_says_a_key_is_taken_and_keeps_it_to_itself_costs_no_identity(int changes, bool restart)
    {
        var first = _registry.Key;
        var peer = await SessionAsync();
        for (var change = 0; change < changes; change++)
        {
            Assert.True(Files.MakeNext());
            var (message, request) = await OfferAsync(peer);
            await AnswerAsync(peer, message, new RotateAnswer(RegistryRefusal.None, request.PublicKey, 2));
            await peer.DisposeAsync();
            peer = await SessionAsync();
            Assert.Equal(request.PublicKey, Base64Url.EncodeToString(peer.Auth!.PublicKey.Span));
        }

        Assert.Equal(first, _registry.Key);
        await peer.DisposeAsync();
        await RestartAsync(restart);
        peer = await HonestAsync();
        Assert.Equal(first, peer.Auth!.PublicKey.ToArray());

        // Every change that was made is made good.
        for (var change = 0; change < changes; change++)
        {
            var (message, request) = await OfferAsync(peer);
            await AnswerAsync(peer, message, _registry.Take(peer.Auth!.PublicKey.ToArray(), request));
            await peer.DisposeAsync();
            peer = await SessionAsync();
            Assert.Equal(request.PublicKey, Base64Url.EncodeToString(peer.Auth!.PublicKey.Span));
            _registry.Used(peer.Auth.PublicKey.ToArray());
        }

        await peer.DisposeAsync();
        await SettledAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_gateway_that_hands_a_key_on_keeps_the_answer_and_says_it_was_used_costs_no_identity(bool restart)
    {
        byte[] next;
        await using (var peer = await SessionAsync())
        {
            Assert.True(Files.MakeNext());
            var (_, request) = await OfferAsync(peer);
            Assert.Equal(RegistryRefusal.None, _registry.Take(peer.Auth!.PublicKey.ToArray(), request).Refused);
            next = Base64Url.DecodeFromChars(request.PublicKey);
            _registry.Used(next);
            Assert.Null(_registry.Previous);
        }

        await RestartAsync(restart);
        await using (var honest = await HonestAsync())
        {
            Assert.Equal(next, honest.Auth!.PublicKey.ToArray());
            using var present = Files.Read();
            Assert.Equal(next, present.PublicKey.ToArray());
        }

        await SettledAsync();
    }

    /// <summary>When another gateway has taken the key too, the host has that key alone.</summary>
    private async Task SettledAsync()
    {
        await using var peer = await HonestAsync();
        Assert.Equal(_registry.Key, peer.Auth!.PublicKey.ToArray());
        await Eventually.TrueAsync(() => Directory.GetFiles(_folder.Path, "agent.key*").Length == 1, "the keys before are gone");
        using var present = Files.Read();
        Assert.Equal(_registry.Key, present.PublicKey.ToArray());
    }

    private async Task RestartAsync(bool wanted)
    {
        if (!wanted)
            return;
        await _host.DisposeAsync();
        // What it had begun waits to be accepted.
        while (_gateway.HasPending)
            (await _gateway.AcceptSocketAsync()).Dispose();
        _host = new Host(_gateway, Files, _folder.Path);
    }

    /// <summary>A session with a gateway that has another key and asks the registry; every key of the host is tried, and no more often than once.</summary>
    private async Task<ScriptedPeer> HonestAsync()
    {
        var key = SigningKey.Generate();
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        var last = _gateway.Identity;
        _gateway.Identity = new GatewayIdentity(
            key, FleetCertificate.Create(_gateway.Root, CertificateUse.Gateway, "gw-test", key.PublicKey, now - 60, now + 3600, last.Certificate.Serial + 1));
        last.Dispose();
        _gateway.LetsIn = _registry.Knows;
        return await SessionAsync(refusals: 2);
    }

    private async Task<ScriptedPeer> SessionAsync(int refusals = 0)
    {
        for (var refused = 0; ; refused++)
        {
            var peer = await _gateway.AcceptAsync();
            if (await peer.HandshakeAsync())
                return peer;
            Assert.True(refused < refusals, $"refused {refused + 1} times");
            await peer.DisposeAsync();
        }
    }

    private async Task<(ControlMessage Message, RotateRequest Request)> OfferAsync(ScriptedPeer peer)
    {
        _host.Registry.Look();
        var message = await peer.ReceiveControlAsync();
        Assert.True(IdentityJson.TryRead(message.Payload.Span, IdentityJson.Default.RegistryRequest, out var request));
        return (message, request.Rotate!);
    }

    /// <summary>Completes when the agent has ended the session.</summary>
    private static async Task AnswerAsync(ScriptedPeer peer, ControlMessage message, RotateAnswer answer)
    {
        await peer.SendAsync(message with { Type = MessageType.Response, Payload = IdentityJson.Write(answer, IdentityJson.Default.RotateAnswer) });
        await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            while (true)
                await peer.ReceiveAsync();
        });
    }

    /// <summary>The link and the keys of a running agent, wired as CommModule does it.</summary>
    private sealed class Host : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly AgentLink.AgentLink _link;
        private readonly Task _run;

        internal Host(ScriptedGateway gateway, AgentKeyFiles files, string state)
        {
            Registry = new RegistryChannel(
                gateway.Agent.AgentId, files, new PinnedStatements(state, gateway.Options.Roots), AgentLog.ToStandardError("error"), TimeProvider.System);
            _link = new AgentLink.AgentLink(gateway.Options, Registry.Identity, new AgentLinkHooks
            {
                NextConnectCounter = () => 1,
                Identity = () => Registry.Identity,
                OnEvent = Registry.OnEvent,
                OnMessage = Registry.Take,
            });
            Registry.Send = _link.TrySend;
            Registry.Renew = _link.Renew;
            Registry.Gateway = () => _link.Gateway;
            _run = _link.RunAsync(_stop.Token).AsTask();
        }

        internal RegistryChannel Registry { get; }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await _run;
            _link.Dispose();
            Registry.Dispose();
            _stop.Dispose();
        }
    }
}
