using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Net;
using System.Text;
using Akka.Actor;
using Microsoft.Extensions.Logging;
using Streams.Gateway.Auth;
using Streams.Local;
using Streams.Queue;
using Streams.Stages;
using Streams.Testing;
using Streams.Wire.Crypto;
using Streams.Wire.Handshake;
using Streams.Wire.Keys;

namespace Streams.Gateway.Tests.Support;

/// <summary>A real nats-server, a worker's side of flow that answers from a table, and a gateway on a free port.</summary>
internal sealed class GatewayFixture : IAsyncDisposable
{
    private readonly TempDirectory _directory = new("gateway");
    private readonly SigningKey _root = SigningKey.Generate();
    private readonly MeterListener _meters = new();
    private readonly List<FlowPublisher> _flows = [];
    private readonly ActorSystem _system = ActorSystem.Create("gateway-tests", GraphSettings.Configuration);

    private int _questions;

    private GatewayFixture(NatsProcess nats) => Nats = nats;

    /// <summary>How often the worker was asked where an agent's lanes stand.</summary>
    public int Questions => Volatile.Read(ref _questions);

    public NatsProcess Nats { get; }

    public GatewayServer Server { get; private set; } = null!;

    public GatewayOptions Options { get; private set; } = null!;

    public QueueConnection Worker { get; private set; } = null!;

    public GatewayMetrics Metrics { get; } = new();

    public TestLog Log { get; } = new();

    public byte[] RootKey => _root.PublicKey.ToArray();

    public FleetRoots Roots => new(_root.PublicKey.ToArray());

    /// <summary>What the worker answers and nothing is told by itself; by agent.</summary>
    public ConcurrentDictionary<string, List<FlowRecord>> Lanes { get; } = new();

    /// <summary>Sums of counters, by "instrument{tag values}".</summary>
    public ConcurrentDictionary<string, long> Counters { get; } = new();

    public static TopologyOptions Topology { get; } = new() { Partitions = 4, IngestBytes = 48L << 20, SessionsBytes = 4L << 20, IdentitiesBytes = 4L << 20 };

    /// <param name="ingestBytes">Quota of each partition.</param>
    public static async Task<GatewayFixture> StartAsync(
        Func<GatewayOptions, GatewayOptions>? change = null, bool answerFlow = true, long ingestBytes = 48L << 20)
    {
        var fixture = new GatewayFixture(await NatsProcess.StartAsync());
        await fixture.PrepareAsync(answerFlow, ingestBytes);
        fixture.Options = change is null ? fixture.Options : change(fixture.Options);
        fixture.Server = await fixture.StartGatewayAsync(fixture.Options);
        return fixture;
    }

    /// <summary>Another gateway process of the same fleet.</summary>
    public async Task<GatewayServer> StartGatewayAsync(GatewayOptions options)
    {
        var server = new GatewayServer(options, _system, Metrics, Log);
        await server.StartAsync(CancellationToken.None);
        return server;
    }

    /// <summary>Enrols an agent and gives its identity.</summary>
    public async Task<AgentIdentity> EnrolAsync(string agentId, string host = "host-1")
    {
        var identity = new AgentIdentity(agentId, SigningKey.Generate());
        await EnrolAsync(identity, host);
        await Eventually.TrueAsync(() => Server.Core.Identities.Find(agentId, identity.PublicKey, new byte[32], out _) == 32, "the identity is known");
        return identity;
    }

    /// <summary>Writes an agent's identity, e.g. again after a wipe.</summary>
    public async Task EnrolAsync(AgentIdentity identity, string host = "host-1")
    {
        await using var connection = await ConnectAsync(QueueRole.Operator);
        var store = await IdentityStore.OpenAsync(connection);
        await store.PutAsync(identity.AgentId, new IdentityRecord(Base64Url.EncodeToString(identity.PublicKey), host, DateTimeOffset.UtcNow));
    }

    public Task<RawAgent> ConnectAsync(AgentIdentity identity) => RawAgent.ConnectAsync(Server.Address, identity, Roots);

    public FlowPublisher Flow(string agentId) => _flows[Subjects.PartitionOf(agentId, Options.Partitions)];

    public Task<QueueConnection> ConnectAsync(QueueRole role) => QueueConnection.OpenAsync(new QueueOptions
    {
        Url = Nats.Url,
        Role = role,
        Seed = Nats.Seed(Enum.Parse<NatsRole>(role.ToString())),
        Name = $"test-{role}",
    });

    /// <summary>Reads messages of an agent's partition until there are as many as wanted.</summary>
    public async Task<List<(MessageHeaders Headers, byte[] Payload)>> ReadAsync(string agentId, int count)
    {
        var messages = new List<(MessageHeaders, byte[])>();
        await using var reader = PartitionReader.Start(Worker, Subjects.PartitionOf(agentId, Options.Partitions), 0);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (messages.Count < count)
        {
            using var batch = await reader.ReadAsync(patience.Token);
            foreach (var message in batch.Messages.Where(message => message.AgentId[0] != '_'))
            {
                Assert.Equal(agentId, message.AgentId);
                Assert.Equal(MessageHeaderFault.None, message.HeaderError.Fault);
                messages.Add((message.Headers, message.Payload.ToArray()));
            }
        }

        return messages;
    }

    public long Counter(string name) => Counters.GetValueOrDefault(name);

    /// <summary>Nothing of a session is left: buffers, credit, key slots.</summary>
    public Task AssertNothingHeldAsync() => Eventually.TrueAsync(
        () => Server.Core.Registry.Count == 0 && Server.Endpoint.Connections == 0 && Server.Core.Wheel.Count == 0 && Server.Core.Buffers.Rented == 0
            && Server.Core.Pool.Reserved == 0 && Server.Core.Arena.Rented <= EphemeralSupply.Stock,
        "sessions, buffers, credit and key slots are given back");

    public async ValueTask DisposeAsync()
    {
        await Server.StopAsync(CancellationToken.None);
        foreach (var flow in _flows)
        {
            await flow.DisposeAsync();
        }

        await Worker.DisposeAsync();
        await _system.Terminate();
        _meters.Dispose();
        Metrics.Dispose();
        await Nats.DisposeAsync();
        _root.Dispose();
        _directory.Dispose();
    }

    private async Task PrepareAsync(bool answerFlow, long ingestBytes)
    {
        _meters.InstrumentPublished = (instrument, listener) =>
        {
            if (ReferenceEquals(instrument.Meter, Metrics.Meter) && instrument is Counter<long>)
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _meters.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
            Counters.AddOrUpdate($"{instrument.Name}{{{string.Join(',', tags.ToArray().Select(tag => tag.Value))}}}", value, (_, sum) => sum + value));
        _meters.Start();
        Worker = await ConnectAsync(QueueRole.Worker);
        await Queue.Topology.CreateAsync(Worker, Topology with { IngestBytes = ingestBytes });
        for (var p = 0; p < 4 && answerFlow; p++)
        {
            _flows.Add(await FlowPublisher.OpenAsync(Worker, p, (agent, records) =>
            {
                // The gateway's own rows have a lane too.
                Interlocked.Add(ref _questions, agent[0] == '_' ? 0 : 1);
                records.AddRange(Lanes.GetValueOrDefault(agent) ?? []);
                return true;
            }));
        }

        using var key = SigningKey.Generate();
        var certificate = Certify(key, 1);
        Options = new GatewayOptions
        {
            Listen = new IPEndPoint(IPAddress.Loopback, 0),
            Nats = Nats.Url,
            NatsSeedFile = WriteSecret("nats.nk", Encoding.ASCII.GetBytes(Nats.Seed(NatsRole.Gateway))),
            KeyFile = WriteSecret("gateway.key", KeyFile.Format(KeyFileKind.Gateway, key)),
            CertificateFile = WriteSecret("gateway.cert", Encoding.ASCII.GetBytes(Base64Url.EncodeToString(certificate.Bytes))),
            Graphs = 2,
            WatermarkTimeout = TimeSpan.FromSeconds(1),
            // Nobody here stores the gateway's own rows.
            FlushPatience = TimeSpan.Zero,
            // Tests read why each of many peers was refused.
            PeerLogRate = 100_000,
        };
    }

    /// <summary>The fleet root's word on a gateway's key.</summary>
    public FleetCertificate Certify(SigningKey key, ulong serial)
    {
        var now = DateTimeOffset.UtcNow;
        return FleetCertificate.Create(_root, CertificateUse.Gateway, "gateway-1", key.PublicKey, now.AddHours(-1).ToUnixTimeSeconds(), now.AddHours(1).ToUnixTimeSeconds(), serial);
    }

    public RevocationList Revoke(ulong version, params ulong[] serials) => RevocationList.Create(_root, version, 1000, serials);

    public RootSuccession Succeed(SigningKey next) => RootSuccession.Create(_root, next.PublicKey, 1000);

    /// <summary>Puts another key and certificate in the place of the gateway's.</summary>
    public void WriteKeys(SigningKey key, FleetCertificate certificate)
    {
        WriteSecret("gateway.key", KeyFile.Format(KeyFileKind.Gateway, key));
        WriteSecret("gateway.cert", Encoding.ASCII.GetBytes(Base64Url.EncodeToString(certificate.Bytes)));
    }

    private string WriteSecret(string name, byte[] content)
    {
        var path = _directory.File(name);
        File.WriteAllBytes(path, content);
        File.SetUnixFileMode(path, KeyFile.RequiredMode);
        return path;
    }
}

/// <summary>Collects what is logged: of the gateway from Debug, which tells sessions, of Kestrel from Information.</summary>
internal sealed class TestLog(LogLevel least = LogLevel.Debug) : ILoggerFactory, ILogger
{
    public ConcurrentQueue<string> Lines { get; private init; } = new();

    public void AddProvider(ILoggerProvider provider)
    {
    }

    public ILogger CreateLogger(string categoryName) =>
        categoryName.StartsWith("Streams.", StringComparison.Ordinal) ? this : new TestLog(LogLevel.Information) { Lines = Lines };

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= least;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel))
        {
            Lines.Enqueue($"{eventId.Id} {formatter(state, exception)} {exception}");
        }
    }

    public void Dispose()
    {
    }
}
