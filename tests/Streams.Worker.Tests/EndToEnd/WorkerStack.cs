using Akka.Actor;
using Microsoft.Extensions.Logging;
using Streams.Checker;
using Streams.Local;
using Streams.Queue;
using Streams.Stages;
using Streams.Storage;
using Streams.Testing;
using Streams.Worker.Tests.Faults;

namespace Streams.Worker.Tests.EndToEnd;

[CollectionDefinition(Name)]
public sealed class WorkerCollection : ICollectionFixture<WorkerStack>
{
    public const string Name = "worker";
}

/// <summary>A real nats-server, a real streams-clickhouse, and workers between them. Each test uses an agent of its own.</summary>
public sealed class WorkerStack : IAsyncLifetime
{
    public const int Partitions = 2;

    private readonly TempDirectory _directory = new("worker");
    private readonly List<StreamsWorker> _workers = [];
    private NatsProcess? _nats;
    private ActorSystem? _system;

    public NatsProcess Nats => _nats!;

    public ClickHouseProcess ClickHouse { get; } = new();

    internal AtRename AtRename { get; private set; } = null!;

    public QueueConnection Gateway { get; private set; } = null!;

    internal RecordingLoggers Log { get; } = new();

    public async Task InitializeAsync()
    {
        _nats = await NatsProcess.StartAsync(Partitions);
        AtRename = new AtRename(_directory.Path);
        AtRename.Prepare(ClickHouse);
        await ClickHouse.InitializeAsync();
        await System.IO.File.WriteAllTextAsync(_directory.File("seed"), Nats.Seed(NatsRole.Worker) + "\n");
        await System.IO.File.WriteAllTextAsync(_directory.File("password"), ClickHouse.Password);
        System.IO.File.SetUnixFileMode(_directory.File("seed"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        System.IO.File.SetUnixFileMode(_directory.File("password"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        _system = ActorSystem.Create("worker-tests", GraphSettings.Configuration.WithFallback("akka.loglevel = WARNING"));
        Gateway = await QueueConnection.OpenAsync(new QueueOptions
        {
            Url = Nats.Url,
            Role = QueueRole.Gateway,
            Seed = Nats.Seed(NatsRole.Gateway),
            Name = "test gateway",
        });
    }

    public async Task DisposeAsync()
    {
        await StopWorkersAsync();
        await Gateway.DisposeAsync();
        await _system!.Terminate();
        await ClickHouse.DisposeAsync();
        await Nats.DisposeAsync();
        _directory.Dispose();
    }

    public WorkerOptions Options(TimeSpan? lease = null) => new()
    {
        NatsUrl = Nats.Url,
        NatsSeedFile = _directory.File("seed"),
        ClickHouseUrl = ClickHouse.Url,
        ClickHouseUser = ClickHouse.User,
        ClickHousePasswordFile = _directory.File("password"),
        Partitions = Partitions,
        Lease = lease ?? TimeSpan.FromSeconds(3),
        Topology = new TopologyOptions { IngestBytes = 64L << 20 },
    };

    /// <summary>A path in the directory of this stack.</summary>
    public string File(string name) => _directory.File(name);

    public StorageOptions Storage() => new() { Url = ClickHouse.Url, User = ClickHouse.User, Password = ClickHouse.Password };

    /// <summary>Starts a worker and waits until all its partitions run.</summary>
    public async Task<StreamsWorker> StartAsync(WorkerOptions? options = null, bool running = true)
    {
        var worker = new StreamsWorker(options ?? Options(), _system!, new WorkerMetrics(), Log);
        _workers.Add(worker);
        await worker.StartAsync();
        if (running)
        {
            await Eventually.TrueAsync(() => worker.Health.Healthy, "the worker runs: " + worker.Health.Detail, TimeSpan.FromSeconds(30));
        }

        return worker;
    }

    /// <summary>Ends what a failed test left running, so that the next one does not wait for its leases.</summary>
    public async Task StopWorkersAsync()
    {
        foreach (var worker in _workers)
        {
            await worker.DisposeAsync();
        }

        _workers.Clear();
    }

    public HistoryChecker Checker() => new(ClickHouse.Url, ClickHouse.User, ClickHouse.Password, "default");

    /// <summary>Waits until the ledger has all batches of an agent, and judges its history.</summary>
    internal async Task<HistoryVerdict> SettledAsync(Producer producer, TimeSpan? patience = null)
    {
        await Eventually.ValueAsync(
            async () => await QuietlyAsync($"SELECT uniqExact(epoch, lane, batch) FROM loss_ledger WHERE agent_id = '{producer.AgentId}'"),
            count => count == producer.Batches.ToString(System.Globalization.CultureInfo.InvariantCulture),
            $"{producer.Batches} batches of {producer.AgentId} are committed",
            patience ?? TimeSpan.FromSeconds(20));
        using var checker = Checker();
        return await checker.CheckAsync(producer.AgentId, producer.Stamped);
    }

    // The server may be on its way up.
    private async Task<string> QuietlyAsync(string sql)
    {
        try
        {
            return await ClickHouse.QueryAsync(sql);
        }
        catch (HttpRequestException error)
        {
            return error.Message;
        }
    }
}

/// <summary>Keeps what was logged at warning or above, so that a test can see why, or that nothing went wrong.</summary>
internal sealed class RecordingLoggers : ILoggerFactory, ILogger
{
    private readonly System.Collections.Concurrent.ConcurrentQueue<string> _lines = new();

    public IEnumerable<string> Lines => _lines;

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider)
    {
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel))
        {
            _lines.Enqueue($"{logLevel} {eventId.Id} {formatter(state, exception)} {exception}");
        }
    }

    public void Dispose()
    {
    }
}
