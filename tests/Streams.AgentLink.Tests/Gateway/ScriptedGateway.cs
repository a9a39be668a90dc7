using System.Net;
using System.Net.Sockets;
using Streams.Wire.Crypto;
using Streams.Wire.Handshake;
using Streams.Wire.Keys;

namespace Streams.AgentLink.Tests.Gateway;

/// <summary>A gateway that does exactly what a test says, over a real socket and .NET's own WebSocket (an implementation that is not
/// ours).</summary>
internal sealed class ScriptedGateway : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private ulong _generation;

    internal ScriptedGateway()
    {
        _listener.Start();
        var key = SigningKey.Generate();
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        Identity = new GatewayIdentity(key, FleetCertificate.Create(Root, CertificateUse.Gateway, "gw-test", key.PublicKey, now - 60, now + 3600, 1));
    }

    internal SigningKey Root { get; } = SigningKey.Generate();

    internal GatewayIdentity Identity { get; set; }

    /// <summary>Which keys of agents are let in; without it, the one of <see cref="Agent"/> alone.</summary>
    internal Func<byte[], bool>? LetsIn { get; set; }

    internal KeyArena Arena { get; } = new(256);

    /// <summary>The agent's key, for tests that give it to another process in a file.</summary>
    internal SigningKey AgentKey { get; } = SigningKey.Generate();

    internal AgentIdentity Agent => field ??= new AgentIdentity("agent-001", AgentKey);

    internal Uri Uri => new($"ws://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");

    internal ulong NextGeneration() => ++_generation;

    internal AgentLinkOptions Options => new()
    {
        Gateway = Uri,
        Roots = new FleetRoots(Root.PublicKey.ToArray()),
        GatewayName = "gw-test",
        HostName = "host-1",
        AgentVersion = "0.0.1-test",
        BackoffBase = TimeSpan.FromMilliseconds(20),
        BackoffMax = TimeSpan.FromMilliseconds(100),
    };

    /// <summary>A connection waits to be accepted.</summary>
    internal bool HasPending => _listener.Pending();

    /// <summary>The next raw connection.</summary>
    internal async Task<Socket> AcceptSocketAsync() => await _listener.AcceptSocketAsync().WaitAsync(Deadline);

    /// <summary>The next connection, upgraded.</summary>
    internal async Task<ScriptedPeer> AcceptAsync(string selected = Wire.Protocol.BinarySubprotocol)
    {
        var socket = await AcceptSocketAsync();
        return await ScriptedPeer.UpgradeAsync(this, socket, selected);
    }

    /// <summary>The next connection, in a confirmed session.</summary>
    internal async Task<ScriptedPeer> AcceptSessionAsync(Action<ScriptedPeer>? configure = null)
    {
        var peer = await AcceptAsync();
        configure?.Invoke(peer);
        await peer.HandshakeAsync();
        return peer;
    }

    internal static TimeSpan Deadline => TimeSpan.FromSeconds(10);

    public void Dispose()
    {
        _listener.Dispose();
        Identity.Dispose();
        Agent.Dispose();
        Root.Dispose();
        Arena.Dispose();
    }
}
