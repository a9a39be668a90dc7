using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;
using Streams.Control.Operators;
using Streams.Queue;
using Streams.Queue.Producing;
using Streams.Services.Actions;
using Streams.Services.Audit;
using Streams.Services.Http;
using Streams.Services.Operators;
using Streams.Services.Registry;
using Streams.Storage;

namespace Streams.Services;

/// <summary>
/// The services role of a process: what is between operators and agents and is neither a gateway nor the path of data. It owns the
/// connection, ClickHouse's client and the producer of its rows; its parts are started with them.
/// </summary>
public sealed class StreamsServices : IAsyncDisposable
{
    private readonly ServicesOptions _options;
    private readonly ILoggerFactory _loggers;
    private readonly ILogger _logger;
    private readonly Stack<Func<ValueTask>> _resources = new();
    private readonly Stack<Func<ValueTask>> _parts = new();
    private QueueConnection? _queue;
    private RowProducer? _rows;
    private OperatorApi? _api;
    private int _state;

    /// <exception cref="ArgumentException">An option is out of bounds; one line.</exception>
    public StreamsServices(ServicesOptions options, ILoggerFactory loggers)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(loggers);
        if (options.Check() is { } fault)
        {
            throw new ArgumentException(fault);
        }

        _options = options;
        _loggers = loggers;
        _logger = loggers.CreateLogger("Streams.Services");
    }

    public ServicesHealth Health => _queue switch
    {
        null => new ServicesHealth(false, "starting"),
        { IsConnected: false } => new ServicesHealth(false, "the queue is away"),
        _ => new ServicesHealth(true, "ok"),
    };

    /// <summary>Maps the operator's HTTP under /api/v1; it answers once the role has started.</summary>
    public void MapApi(IEndpointRouteBuilder routes) => OperatorApi.Map(routes, () => _api);

    /// <summary>Whether a request may see what only operators and this machine may: it comes from here, or has a valid token.</summary>
    public bool MayLook(HttpContext context) => OperatorGate.IsLoopback(context) || _api?.Knows(context) == true;

    /// <summary>Connects and starts the parts. The streams and buckets are a worker's to make.</summary>
    /// <exception cref="QueueException">NATS cannot be used; one line.</exception>
    public async Task StartAsync(CancellationToken cancel = default)
    {
        if (Interlocked.Exchange(ref _state, 1) != 0)
        {
            throw new InvalidOperationException("services are started once");
        }

        var queue = await QueueConnection.OpenAsync(
            new QueueOptions
            {
                Url = _options.NatsUrl,
                Role = QueueRole.Services,
                Seed = await ReadSecretAsync(_options.NatsSeedFile, cancel).ConfigureAwait(false),
                Name = $"services {_options.Name}",
                LoggerFactory = _loggers,
            },
            cancel).ConfigureAwait(false);
        _resources.Push(queue.DisposeAsync);
        await Topology.CheckAsync(queue, _options.Partitions, cancel).ConfigureAwait(false);
        var storage = new StorageClient(new StorageOptions
        {
            Url = _options.ClickHouseUrl,
            User = _options.ClickHouseUser,
            Password = await ReadSecretAsync(_options.ClickHousePasswordFile, cancel).ConfigureAwait(false),
            Database = _options.Database,
        });
        _resources.Push(() =>
        {
            storage.Dispose();
            return ValueTask.CompletedTask;
        });
        _rows = await RowProducer.OpenAsync(
            queue, new RowProducerOptions { Role = "services", Name = _options.Name, Partitions = _options.Partitions }, cancel)
            .ConfigureAwait(false);
        _resources.Push(_rows.DisposeAsync);
        var registry = await RegistryService.StartAsync(
            queue, storage, _rows, _options.RevocationsFile, _options.SuccessionFile, cancel: cancel).ConfigureAwait(false);
        _parts.Push(registry.DisposeAsync);
        // Parts begin here; each is pushed to _parts with how it ends, and the last to begin is the first to end.
        _api = await StartOperatorsAsync(queue, _rows, cancel).ConfigureAwait(false);
        _queue = queue;
        _logger.ServicesStarted(_rows.AgentId);
    }

    /// <summary>Ends the parts, then sends what waits to be rows, for a bounded time: a worker must run to store them.</summary>
    public async Task StopAsync()
    {
        await EndAsync(_parts).ConfigureAwait(false);
        if (_rows is not null && !await _rows.StopAsync(_options.FlushPatience).ConfigureAwait(false))
        {
            _logger.RowsLeft();
        }

        await DisposeAsync().ConfigureAwait(false);
        _logger.ServicesStopped();
    }

    /// <summary>Ends at once; after a <see cref="StopAsync"/> there is nothing left to end.</summary>
    public async ValueTask DisposeAsync()
    {
        _queue = null;
        await EndAsync(_parts).ConfigureAwait(false);
        await EndAsync(_resources).ConfigureAwait(false);
    }

    private async Task<OperatorApi> StartOperatorsAsync(QueueConnection queue, RowProducer rows, CancellationToken cancel)
    {
        var tokens = await OperatorTokens.OpenAsync(queue, _loggers.CreateLogger<OperatorTokens>(), cancel: cancel).ConfigureAwait(false);
        _parts.Push(tokens.DisposeAsync);
        if (_options.AdminTokenFile is { } file)
        {
            tokens.Keep(OperatorToken.TryParse(await ReadSecretAsync(file, cancel).ConfigureAwait(false), out var token)
                ? token : throw new ServicesException($"{file}: not an operator token; delete it to have a new one made"));
        }

        var agents = await AgentDirectory.OpenAsync(queue, cancel).ConfigureAwait(false);
        _parts.Push(agents.DisposeAsync);
        CommandIssuer? issuer = null;
        if (_options.ServiceKeyFile is { } key)
        {
            issuer = IssuerFiles.Read(key, _options.ServiceCertificateFile!, TimeProvider.System);
            _resources.Push(() =>
            {
                issuer.Dispose();
                return ValueTask.CompletedTask;
            });
        }

        var actions = await ActionsService.StartAsync(queue, issuer, rows, cancel: cancel).ConfigureAwait(false);
        _parts.Push(actions.DisposeAsync);
        var api = new OperatorApi(new OperatorGate(tokens, new AuditLog(rows, _loggers.CreateLogger<AuditLog>())), actions, tokens, agents);
        _parts.Push(async () =>
        {
            _api = null;
            await api.DrainAsync(_options.FlushPatience).ConfigureAwait(false);
        });
        return api;
    }

    private static async Task EndAsync(Stack<Func<ValueTask>> owned)
    {
        while (owned.TryPop(out var end))
        {
            await end().ConfigureAwait(false);
        }
    }

    private static async Task<string> ReadSecretAsync(string path, CancellationToken cancel) =>
        (await File.ReadAllTextAsync(path, cancel).ConfigureAwait(false)).Trim();
}
