using System.Buffers.Text;
using Akka.Actor;
using Microsoft.Extensions.Logging.Abstractions;
using Streams.Control.Identity;
using Streams.Local;
using Streams.Queue;
using Streams.Queue.Producing;
using Streams.Services.Registry;
using Streams.Stages;
using Streams.Storage;
using Streams.Testing;
using Streams.Wire.Crypto;
using Streams.Worker;

namespace Streams.Services.Tests.Registry;

[CollectionDefinition(Name)]
public sealed class RegistryCollection : ICollectionFixture<RegistryStack>
{
    public const string Name = "registry";
}

/// <summary>A real nats-server, a real streams-clickhouse, a worker between them, the Registry, and a gateway's connection that asks it.</summary>
public sealed class RegistryStack : IAsyncLifetime
{
    private const int Partitions = 1;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly TempDirectory _directory = new("registry");
    private readonly ClickHouseProcess _clickHouse = new();
    private readonly List<IAsyncDisposable> _owned = [];
    private ActorSystem? _system;
    private StreamsWorker? _worker;
    private ServiceCaller? _gateway;
    private SessionStore? _sessions;
    private StorageClient? _storage;
    private RowProducer? _producer;
    private QueueConnection? _services;

    internal NatsProcess Nats { get; private set; } = null!;

    internal IdentityStore Identities { get; private set; } = null!;

    internal EnrolmentStore Tokens { get; private set; } = null!;

    internal RegistryService Registry { get; private set; } = null!;

    /// <summary>As `keys revoke` keeps it; not there at first.</summary>
    internal string RevocationsFile => _directory.File("revocations");

    /// <summary>As `keys root` keeps it; not there at first.</summary>
    internal string SuccessionFile => _directory.File("succession");

    internal async Task<RevocationRecord?> StatementAsync(string key) =>
        await (await RevocationStore.OpenAsync(_services!)).GetAsync(key);

    internal QueueConnection Services => _services!;

    internal RowProducer Rows => _producer!;

    internal byte[] Root { get; private set; } = [];

    public async Task InitializeAsync()
    {
        Nats = await NatsProcess.StartAsync(Partitions);
        await _clickHouse.InitializeAsync();
        using var root = SigningKey.Generate();
        Root = root.PublicKey.ToArray();
        _system = ActorSystem.Create("registry-tests", GraphSettings.Configuration.WithFallback("akka.loglevel = WARNING"));
        _worker = new StreamsWorker(
            new WorkerOptions
            {
                NatsUrl = Nats.Url,
                NatsSeedFile = await SecretAsync("seed", Nats.Seed(NatsRole.Worker)),
                ClickHouseUrl = _clickHouse.Url,
                ClickHouseUser = _clickHouse.User,
                ClickHousePasswordFile = await SecretAsync("password", _clickHouse.Password),
                Partitions = Partitions,
                Topology = new TopologyOptions { IngestBytes = 64L << 20 },
            },
            _system, new WorkerMetrics(), NullLoggerFactory.Instance);
        await _worker.StartAsync();
        _services = Own(await ConnectAsync(QueueRole.Services));
        var gateway = Own(await ConnectAsync(QueueRole.Gateway));
        _gateway = Own(await ServiceCaller.OpenAsync(gateway));
        _sessions = await SessionStore.OpenAsync(gateway);
        Identities = await IdentityStore.OpenAsync(_services);
        Tokens = await EnrolmentStore.OpenAsync(_services);
        _storage = new StorageClient(new StorageOptions { Url = _clickHouse.Url, User = _clickHouse.User, Password = _clickHouse.Password });
        _producer = Own(await RowProducer.OpenAsync(
            _services, new RowProducerOptions { Role = "services", Name = "test", Partitions = Partitions, Linger = TimeSpan.FromMilliseconds(20) }));
        await StartRegistryAsync();
    }

    public async Task DisposeAsync()
    {
        await Registry.DisposeAsync();
        _owned.Reverse();
        foreach (var part in _owned)
        {
            await part.DisposeAsync();
        }

        await _worker!.DisposeAsync();
        _storage!.Dispose();
        await _system!.Terminate();
        await _clickHouse.DisposeAsync();
        await Nats.DisposeAsync();
        _directory.Dispose();
    }

    /// <summary>As a restart of the process does.</summary>
    internal async Task RestartRegistryAsync()
    {
        await Registry.DisposeAsync();
        await StartRegistryAsync();
    }

    internal async Task<EnrolmentToken> CreateTokenAsync(
        string agentId, int uses = 1, string prefix = "", TimeSpan? life = null, bool replace = false, params string[] networks)
    {
        var token = EnrolmentToken.Create(Root);
        using var key = token.DeriveKey();
        var now = DateTimeOffset.UtcNow;
        Assert.True(await Tokens.TryWriteAsync(
            token.Id,
            new EnrolmentRecord(
                Text(key), agentId, prefix, uses, now + (life ?? TimeSpan.FromHours(1)), networks,
                new Dictionary<string, string>(), "alice", now, Replace: replace),
            0));
        return token;
    }

    internal Task<EnrolAnswer> EnrolAsync(EnrolmentToken token, string publicKey, string source = "192.0.2.7") =>
        EnrolAsync(Request(token, publicKey), publicKey, source);

    internal static EnrolRequest Request(EnrolmentToken token, string publicKey)
    {
        // What is no key cannot be signed for and is refused for itself.
        var key = new byte[SigningKey.PublicKeySize];
        return CanonicalBase64.TryRead(publicKey, key)
            ? EnrolRequest.Create(token, "host-1", key) : new EnrolRequest(token.Id, new string('A', 86), "host-1");
    }

    internal async Task<EnrolAnswer> EnrolAsync(EnrolRequest request, string publicKey, string source = "192.0.2.7")
    {
        var call = new RegistryCall("gateway-1", source, "", publicKey, Enrol: request);
        var answer = await _gateway!.AskAsync(
            Subjects.Registry("enroll"), IdentityJson.Write(call, IdentityJson.Default.RegistryCall), Patience);
        Assert.True(IdentityJson.TryRead(answer, IdentityJson.Default.EnrolAnswer, out var document));
        Assert.True(document.IsValid);
        return document;
    }

    internal async Task<RotateAnswer> RotateAsync(string agentId, SigningKey session, RotateRequest request)
    {
        var call = new RegistryCall("gateway-1", "192.0.2.7", agentId, Text(session), Rotate: request);
        var answer = await _gateway!.AskAsync(
            Subjects.Registry("rotate"), IdentityJson.Write(call, IdentityJson.Default.RegistryCall), Patience);
        Assert.True(IdentityJson.TryRead(answer, IdentityJson.Default.RotateAnswer, out var document));
        return document;
    }

    /// <summary>The agent's newest session is with this gateway.</summary>
    internal async Task BeginSessionAsync(string agentId, string gateway = "gateway-1")
    {
        var last = await _sessions!.GetAsync(agentId);
        Assert.NotNull(await _sessions.TryWriteAsync(
            agentId, new SessionRecord(SessionRecord.NextGeneration(last?.Value, DateTimeOffset.UtcNow), gateway, "e", DateTimeOffset.UtcNow, "h", "a"), last?.Revision ?? 0));
    }

    internal Task<byte[]?> NoticeAsync(string agentId, NoticeKind kind, SigningKey session, string gateway = "gateway-1") => _gateway!.AskAsync(
        Subjects.Registry("notice"),
        IdentityJson.Write(
            new RegistryNotice(gateway, "192.0.2.7", agentId, kind, Text(session), "counter_back"), IdentityJson.Default.RegistryNotice),
        Patience);

    /// <summary>Waits for the actions that the rows have of an agent.</summary>
    internal Task<string> ActionsAsync(string agentId, string expected) => Eventually.ValueAsync(
        () => _clickHouse.QueryAsync(
            $"SELECT arrayStringConcat(groupArray(action), ' ') FROM (SELECT action FROM agent_identity WHERE agent = '{agentId}' ORDER BY serial)"),
        actions => actions == expected,
        $"rows of {agentId}: {expected}",
        Patience);

    internal Task<string> QueryAsync(string sql) => _clickHouse.QueryAsync(sql);

    internal static string Text(SigningKey key) => Base64Url.EncodeToString(key.PublicKey);

    private async Task StartRegistryAsync() =>
        Registry = await RegistryService.StartAsync(_services!, _storage!, _producer!, RevocationsFile, SuccessionFile);

    private async Task<string> SecretAsync(string name, string content)
    {
        var path = _directory.File(name);
        await File.WriteAllTextAsync(path, content + "\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return path;
    }

    private Task<QueueConnection> ConnectAsync(QueueRole role) => QueueConnection.OpenAsync(new QueueOptions
    {
        Url = Nats.Url,
        Role = role,
        Seed = Nats.Seed(Enum.Parse<NatsRole>(role.ToString())),
        Name = $"test {role}",
    });

    private T Own<T>(T part)
        where T : IAsyncDisposable
    {
        _owned.Add(part);
        return part;
    }
}
