using System.Net;
using Akka.Actor;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Streams.Gateway.Auth;
using Streams.Gateway.Connections;
using Streams.Gateway.Credit;
using Streams.Gateway.Heartbeat;
using Streams.Gateway.Ingest;
using Streams.Gateway.Queueing;
using Streams.Gateway.Records;
using Streams.Gateway.Registration;
using Streams.Gateway.Sessions;
using Streams.Queue;
using Streams.Stages;
using Streams.Wire;
using Streams.Wire.Keys;

namespace Streams.Gateway;

/// <summary>
/// The gateway role of a process: the agents' WebSocket endpoint and everything behind it up to the queue. Start and stop it once. Order of a stop: no new
/// connections and no more credit, goodbye to every session with a time to come back that is spread, finish what the graphs and outlets
/// hold, then the connections to the queue, and last the keys.
/// </summary>
public sealed partial class GatewayServer : IHostedService, IAsyncDisposable
{
    /// <summary>Smallest data frame that is taken, of one unit of padding. It bounds how many frames the pool can hold.</summary>
    private const int SmallestFrame = Limits.PaddingBytes + Wire.Frames.FrameHeader.Overhead;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly GatewayOptions _options;
    private readonly ActorSystem _system;
    private readonly ILoggerFactory _loggers;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly GatewayMetrics _metrics;
    private readonly List<PartitionOutlet> _outlets = [];
    private readonly List<IngestGraph> _graphs = [];
    private readonly Stack<Func<ValueTask>> _owned = new();
    private readonly Lock _holding = new();
    private GatewayCore? _core;
    private string? _holdReason;
    private QueueWatch? _queue;
    private GatewayRecords? _records;
    private WebApplication? _web;
    private AgentEndpoint? _endpoint;

    /// <param name="options">Must be valid by <see cref="GatewayOptionsValidator"/>.</param>
    /// <param name="system">With <see cref="GraphSettings.Configuration"/> in its configuration; not owned.</param>
    /// <param name="metrics">Not owned.</param>
    public GatewayServer(GatewayOptions options, ActorSystem system, GatewayMetrics metrics, ILoggerFactory loggers, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(system);
        ArgumentNullException.ThrowIfNull(metrics);
        ArgumentNullException.ThrowIfNull(loggers);
        _options = options;
        _system = system;
        _metrics = metrics;
        _loggers = loggers;
        _logger = loggers.CreateLogger("Streams.Gateway");
        _time = time ?? TimeProvider.System;
    }

    /// <summary>Where agents connect, with the real port when 0 was asked for. Valid after the start.</summary>
    public IPEndPoint Address { get; private set; } = new(IPAddress.None, 0);

    /// <summary>Sessions now.</summary>
    public int Sessions => _core?.Registry.Count ?? 0;

    internal GatewayCore Core => _core ?? throw new InvalidOperationException("the gateway was not started");

    internal AgentEndpoint Endpoint => _endpoint ?? throw new InvalidOperationException("the gateway was not started");

    /// <exception cref="GatewayException">A setting, a file, the address or the queue does not permit a start; one line says which and why.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (GatewayOptionsValidator.Validate(_options) is { Count: > 0 } problems)
        {
            throw new GatewayException(problems[0]);
        }

        try
        {
            var core = await BuildAsync(cancellationToken).ConfigureAwait(false);
            lock (_holding)
            {
                _core = core;
                ApplyHold(core.Pool);
            }

            await ListenAsync(core, cancellationToken).ConfigureAwait(false);
        }
        catch (QueueException error)
        {
            await DisposeAsync().ConfigureAwait(false);
            throw new GatewayException(error.Message, error);
        }
        catch
        {
            await DisposeAsync().ConfigureAwait(false);
            throw;
        }

        _logger.Started(_core.Identity.Certificate.Name, Address.ToString(), _options.Partitions, _graphs.Count, _options.PoolBytes);
    }

    /// <summary>Raises an alert of the process around the gateway, as the gateway's own; nothing before the start.</summary>
    public void Alert(string kind, string subject, string detail) => _records?.Alert(kind, subject, detail);

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_core is { } core && core.TryDrain())
        {
            core.Pool.Suspend(CreditStop.Draining);
            foreach (var session in core.Registry.All)
            {
                session.End(SessionEnd.Draining);
            }

            // The wheel aborts after 3 s those that do not answer.
            for (var waited = TimeSpan.Zero; _endpoint?.Connections > 0 && waited < Patience; waited += SharedWheel.Interval)
            {
                await Task.Delay(SharedWheel.Interval / 5, CancellationToken.None).ConfigureAwait(false);
            }

            if (_web is not null)
            {
                await _web.StopAsync(cancellationToken).ConfigureAwait(false);
            }

            await Task.WhenAll(_graphs.Select(graph => graph.StopAsync(Patience))).ConfigureAwait(false);
            await Task.WhenAll(_outlets.Select(outlet => outlet.StopAsync(Patience))).ConfigureAwait(false);
            // All sessions have said their end by now; a worker may be there to store it.
            await core.Records.StopAsync(_options.FlushPatience).ConfigureAwait(false);
            _logger.Stopped();
        }

        await DisposeAsync().ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        while (_owned.TryPop(out var dispose))
        {
            await dispose().ConfigureAwait(false);
        }
    }

    private async Task<GatewayCore> BuildAsync(CancellationToken cancel)
    {
        var keys = OwnAsync(new GatewayKeys(_options, _logger, _time));
        // Two slots a session, one a handshake.
        var arena = Own(new KeyArena((2 * _options.MaxConnections) + _options.MaxHandshakes + EphemeralSupply.Stock));
        var ephemerals = Own(new EphemeralSupply(arena));
        ephemerals.Fill();
        var connection = OwnAsync(await QueueConnection.OpenAsync(
            new QueueOptions
            {
                Url = _options.Nats,
                Role = QueueRole.Gateway,
                Seed = GatewayFiles.ReadSeed(_options.NatsSeedFile),
                Name = $"gateway {keys.Current.Certificate.Name}",
                LoggerFactory = _loggers,
            },
            cancel).ConfigureAwait(false));
        await Topology.CheckAsync(connection, _options.Partitions, cancel).ConfigureAwait(false);
        var store = await SessionStore.OpenAsync(connection, cancel).ConfigureAwait(false);
        _records = OwnAsync(await GatewayRecords.OpenAsync(
            connection, _options, keys.Current.Certificate.Name, _metrics, _logger, _time, cancel).ConfigureAwait(false));
        var pool = new CreditPool(_options.PoolBytes, _options.Partitions);
        var buffers = new FrameBuffers();
        GatewayCore? core = null;
        var cache = OwnAsync(await IdentityCache.OpenAsync(
            await IdentityStore.OpenAsync(connection, cancel).ConfigureAwait(false), cancel, (agent, _) => core?.IdentityChanged(agent)).ConfigureAwait(false));
        var registry = OwnAsync(await ServiceCaller.OpenAsync(connection, cancel).ConfigureAwait(false));
        var statements = OwnAsync(new FleetStatements(
            await RevocationStore.OpenAsync(connection, cancel).ConfigureAwait(false), () => core?.Registry.All ?? [], _logger, _time));
        var flow = OwnAsync(await FlowSubscriber.OpenAsync(connection, record => OnFlow(core, record), cancel).ConfigureAwait(false));
        await StartIngestAsync(connection, cancel).ConfigureAwait(false);
        _queue = new QueueWatch(connection, _outlets, pool, _logger, () => OnQueueBack(core));
        var wheel = OwnAsync(new SharedWheel(_queue.Tick, OnWheelFault));
        core = new GatewayCore
        {
            Options = _options,
            Keys = keys,
            Statements = statements,
            Notices = OwnAsync(new RegistryNotices(registry, keys.Current.Certificate.Name, _metrics)),
            Metrics = _metrics,
            Logger = _logger,
            StrangerLog = new PeerLog(_logger, _options.PeerLogRate, Environment.TickCount64),
            SessionLog = new PeerLog(_logger, _options.PeerLogRate, Environment.TickCount64),
            Time = _time,
            Arena = arena,
            Ephemerals = ephemerals,
            Tokens = new SessionTokens(_time, TimeSpan.FromSeconds(_options.TokenSeconds)),
            Pool = pool,
            Buffers = buffers,
            Frames = new FrameContext(buffers, pool, _metrics),
            Identities = new Identities(cache),
            Store = store,
            Rates = new AgentRates(_options),
            Flow = flow,
            Records = _records,
            Wheel = wheel,
            Graphs = _graphs,
        };
        if (_options.Registration)
        {
            core.Messages.Add(new RegistryMessages(core, registry));
        }

        core.Commands = new AgentCommands(core, new CommandReader(connection), new ResponsePublisher(connection));
        core.Messages.Add(core.Commands);
        OwnAsync(await NudgeListener.OpenAsync(connection, core.Commands.Nudged, cancel).ConfigureAwait(false));
        OwnAsync(new SessionWatch(core));
        wheel.Start();
        _metrics.Observe(() => core.Registry.Count, () => pool.Reserved, () => buffers.Rented, () => _outlets.Sum(outlet => outlet.InFlight));
        if (arena.UnlockedBytes > 0)
        {
            _logger.KeysNotLocked(arena.UnlockedBytes);
        }

        return core;
    }

    private async Task StartIngestAsync(QueueConnection connection, CancellationToken cancel)
    {
        var capacity = (int)Math.Min(int.MaxValue / 2, (_options.PoolBytes / SmallestFrame) + 1);
        for (var p = 0; p < _options.Partitions; p++)
        {
            var outlet = OwnAsync(new PartitionOutlet(p, capacity, _metrics, _logger));
            _outlets.Add(outlet);
            outlet.Start(await PublisherQueue.OpenAsync(
                connection, outlet, new PublisherOptions { WindowMessages = _options.PublishWindow }, cancel).ConfigureAwait(false));
        }

        var materializer = Own(GraphSettings.CreateMaterializer(_system, "gateway-ingest"));
        for (var i = 0; i < Math.Min(_options.Graphs, _options.Partitions); i++)
        {
            var graph = OwnAsync(new IngestGraph(
                $"ingest-{i}", capacity, materializer, () => IngestStages.Create(_metrics), _outlets, OnGraphFailed));
            _graphs.Add(graph);
            graph.Start();
        }
    }

    /// <summary>
    /// Rewinds may have been told while nobody heard. Every session asks where its lanes stand, spread over a sixth of the heartbeat's
    /// interval, so that the worker is not stormed.
    /// </summary>
    private void OnQueueBack(GatewayCore? core)
    {
        var within = Math.Max(SharedWheel.Interval.Ticks / TimeSpan.TicksPerMillisecond * 4, _options.HeartbeatSeconds * 1000L / 6);
        foreach (var session in core?.Registry.All ?? [])
        {
            session.Doubt(within);
            // So may nudges.
            _ = session.Commands?.LookWithinAsync(within);
        }
    }

    private void OnGraphFailed(GraphEnd end)
    {
        _metrics.GraphFailed(end.Name);
        _logger.GraphFailed(end.Name, end.Failures, end.RetryAfter.TotalMilliseconds, end.Failure);
    }

    private void OnFlow(GatewayCore? core, FlowRecord record)
    {
        try
        {
            core?.Registry.Find(record.AgentId)?.Flow(record);
        }
        catch (Exception fault)
        {
            // It would end the listening for all agents. The agent's next heartbeat asks for the same.
            _metrics.Error("flow");
            _logger.FlowFault(record.AgentId, fault);
        }
    }

    private void OnWheelFault(Exception fault)
    {
        _metrics.Error("wheel");
        _logger.WheelFault(fault);
    }

    private T Own<T>(T part)
        where T : IDisposable
    {
        _owned.Push(() =>
        {
            part.Dispose();
            return ValueTask.CompletedTask;
        });
        return part;
    }

    private T OwnAsync<T>(T part)
        where T : IAsyncDisposable
    {
        _owned.Push(part.DisposeAsync);
        return part;
    }
}
