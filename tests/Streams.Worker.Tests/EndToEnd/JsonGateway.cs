using System.Buffers.Text;
using System.Net;
using System.Text;
using Akka.Actor;
using Streams.Gateway;
using Streams.Local;
using Streams.Queue;
using Streams.Stages;
using Streams.Testing.JsonAgents;
using Streams.Wire.Crypto;
using Streams.Wire.Handshake;
using Streams.Wire.Keys;

namespace Streams.Worker.Tests.EndToEnd;

/// <summary>A gateway in front of the stack's queue, for agents of <c>streams.v1.json</c>.</summary>
internal sealed class JsonGateway : IAsyncDisposable
{
    private static int _files;
    private static int _agents;

    private readonly WorkerStack _stack;
    private readonly SigningKey _root = SigningKey.Generate();
    private readonly ActorSystem _system = ActorSystem.Create("json-gateway", GraphSettings.Configuration);
    private readonly GatewayMetrics _metrics = new();
    private readonly GatewayOptions _options;
    private GatewayServer _server = null!;

    private JsonGateway(WorkerStack stack, int tokenSeconds)
    {
        _stack = stack;
        using var key = SigningKey.Generate();
        var now = DateTimeOffset.UtcNow;
        var certificate = FleetCertificate.Create(
            _root, CertificateUse.Gateway, "gateway-1", key.PublicKey, now.AddHours(-1).ToUnixTimeSeconds(), now.AddHours(1).ToUnixTimeSeconds(), 1);
        _options = new GatewayOptions
        {
            Listen = new IPEndPoint(IPAddress.Loopback, 0),
            Nats = stack.Nats.Url,
            NatsSeedFile = Write("seed", Encoding.ASCII.GetBytes(stack.Nats.Seed(NatsRole.Gateway))),
            KeyFile = Write("key", KeyFile.Format(KeyFileKind.Gateway, key)),
            CertificateFile = Write("cert", Encoding.ASCII.GetBytes(Base64Url.EncodeToString(certificate.Bytes))),
            Partitions = WorkerStack.Partitions,
            Graphs = 1,
            TokenSeconds = tokenSeconds,
        };
    }

    public Uri Address => new($"ws://{_server.Address}");

    public byte[] RootKey => _root.PublicKey.ToArray();

    /// <summary>The gateway's clock of keys; what it reads as the time of day stays true.</summary>
    public KeyClock Clock { get; } = new();

    public static async Task<JsonGateway> StartAsync(WorkerStack stack, int tokenSeconds = 900)
    {
        var gateway = new JsonGateway(stack, tokenSeconds);
        await gateway.StartAsync();
        return gateway;
    }

    /// <summary>Ends it, with every session, and starts another on another port.</summary>
    public async Task RestartAsync()
    {
        await _server.StopAsync(CancellationToken.None);
        await StartAsync();
    }

    /// <summary>A new agent's id and seed; its identity is known.</summary>
    public async Task<(string AgentId, byte[] Seed)> EnrolAsync()
    {
        var agentId = $"stranger-{Interlocked.Increment(ref _agents)}";
        var (seed, key) = JsonAgent.NewKey();
        await using var connection = await QueueConnection.OpenAsync(new QueueOptions
        {
            Url = _stack.Nats.Url,
            Role = QueueRole.Operator,
            Seed = _stack.Nats.Seed(NatsRole.Operator),
            Name = "test operator",
        });
        var store = await IdentityStore.OpenAsync(connection);
        await store.PutAsync(agentId, new IdentityRecord(Base64Url.EncodeToString(key), "host-of-strangers", DateTimeOffset.UtcNow));
        return (agentId, seed);
    }

    public async ValueTask DisposeAsync()
    {
        await _server.StopAsync(CancellationToken.None);
        await _system.Terminate();
        _metrics.Dispose();
        _root.Dispose();
    }

    private async Task StartAsync()
    {
        _server = new GatewayServer(_options, _system, _metrics, _stack.Log, Clock);
        await _server.StartAsync(CancellationToken.None);
    }

    private string Write(string name, byte[] content)
    {
        var path = _stack.File($"gateway-{Interlocked.Increment(ref _files)}-{name}");
        File.WriteAllBytes(path, content);
        File.SetUnixFileMode(path, KeyFile.RequiredMode);
        return path;
    }

    /// <summary>Time stamps that can be put forward, so that a key comes of age at once.</summary>
    internal sealed class KeyClock : TimeProvider
    {
        private long _ahead;

        public void Age(TimeSpan by) => Interlocked.Add(ref _ahead, (long)(by.TotalSeconds * TimestampFrequency));

        public override long GetTimestamp() => base.GetTimestamp() + Interlocked.Read(ref _ahead);
    }
}
