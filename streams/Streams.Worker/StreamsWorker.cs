using System.Security.Cryptography;
using Akka.Actor;
using Microsoft.Extensions.Logging;
using Streams.Queue;
using Streams.Queue.Producing;
using Streams.Schema;
using Streams.Stages;
using Streams.Storage;
using Streams.Worker.Admission;
using Streams.Worker.Alerts;
using Streams.Worker.Commit;
using Streams.Worker.Ledger;
using Streams.Worker.Merge;
using Streams.Worker.Ownership;
using Streams.Worker.Parts;
using Streams.Worker.Ranges;
using Streams.Worker.Recovery;

namespace Streams.Worker;

/// <summary>
/// The worker role: one pipeline per partition whose lease this process gets, one inserter for all. Start it, watch <see cref="Health"/>,
/// stop it: a stop reads no more, commits what was read, and releases the leases. Disposing without a stop leaves everything as a
/// crash would.
/// </summary>
public sealed class StreamsWorker : IAsyncDisposable
{
    private static readonly TimeSpan AlertPatience = TimeSpan.FromSeconds(2);

    private readonly WorkerOptions _options;
    private readonly ActorSystem _system;
    private readonly WorkerMetrics _metrics;
    private readonly ILoggerFactory _loggers;
    private readonly ILogger _logger;
    private readonly ISystemAlerts? _alerts;
    private readonly List<PartitionWorker> _partitions = [];
    private readonly Stack<Func<ValueTask>> _resources = new();
    private ISystemAlerts? _raised;
    private RowProducer? _rows;
    private int _state;

    /// <param name="system">Made with <see cref="GraphSettings.Configuration"/>; the worker neither starts nor stops it.</param>
    /// <param name="alerts">Hears of alerts besides the log and the counter.</param>
    /// <exception cref="ArgumentException">An option is out of bounds; one line.</exception>
    public StreamsWorker(
        WorkerOptions options, ActorSystem system, WorkerMetrics metrics, ILoggerFactory loggers, ISystemAlerts? alerts = null)
    {
        if (options.Check() is { } fault)
        {
            throw new ArgumentException(fault);
        }

        _options = options;
        _system = system;
        _metrics = metrics;
        _loggers = loggers;
        _alerts = alerts;
        _logger = loggers.CreateLogger("Streams.Worker");
        // 48 bits: unique among the processes whose inserts can still be running.
        Owner = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6));
    }

    /// <summary>Random id of this process, in its leases and in the comment of each of its inserts.</summary>
    public string Owner { get; }

    public WorkerHealth Health
    {
        get
        {
            var partitions = Partitions();
            var running = partitions.Count(partition => partition.State == PartitionState.Running);
            var worst = partitions.FirstOrDefault(partition => partition.State != PartitionState.Running);
            var detail = partitions.Length == 0
                ? "not started"
                : $"{running} of {partitions.Length} partitions run"
                    + (worst is null
                        ? ""
                        : $"; partition {worst.Partition} is {worst.State}{(worst.LastFailure is { } why ? $" ({why})" : "")}");
            return new WorkerHealth(partitions.Length != 0 && running == partitions.Length, detail, partitions);
        }
    }

    /// <summary>
    /// Connects, makes what is missing in NATS and ClickHouse (migrations under the migrator's lease), and starts the partitions. Returns
    /// before they have recovered: a lease of a dead worker takes its time.
    /// </summary>
    /// <exception cref="QueueException">NATS cannot be used; one line.</exception>
    /// <exception cref="UnfitServerException">ClickHouse lacks what exactly-once rests on; one line.</exception>
    /// <exception cref="TimeoutException">ClickHouse did not answer; one line.</exception>
    public async Task StartAsync(CancellationToken cancel = default)
    {
        if (Interlocked.Exchange(ref _state, 1) != 0)
        {
            throw new InvalidOperationException("a worker is started once");
        }

        var shared = await ConnectAsync(cancel).ConfigureAwait(false);
        lock (_partitions)
        {
            for (var partition = 0; partition < _options.Partitions; partition++)
            {
                _partitions.Add(new PartitionWorker(partition, shared));
            }
        }

        _metrics.Observe(Partitions);
        _partitions.ForEach(partition => partition.Start());
        _logger.WorkerStarted(Owner, _options.Partitions, _options.Database);
    }

    /// <summary>
    /// Raises an alert of the process around the worker, as the worker's own: a log event, a counter and a row of <c>system_alert</c>.
    /// Nothing before the start.
    /// </summary>
    public void Alert(string kind, string subject, string detail) => _raised?.Raise(kind, subject, detail);

    /// <summary>Reads no more, commits what was read, tells it, trims the queue, releases the leases.</summary>
    public async Task StopAsync()
    {
        // While there is somebody who stores them; nothing waits as a rule.
        if (_rows is not null)
        {
            await _rows.StopAsync(AlertPatience).ConfigureAwait(false);
        }

        await Task.WhenAll(_partitions.Select(partition => partition.StopAsync(_options.DrainPatience))).ConfigureAwait(false);
        await DisposeAsync().ConfigureAwait(false);
        _logger.WorkerStopped(Owner);
    }

    /// <summary>Ends at once; after a <see cref="StopAsync"/> it only gives back what is left.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _state, 2) == 2)
        {
            return;
        }

        // The inserter goes before the partitions: they wait for the ranges it has.
        while (_resources.TryPop(out var release))
        {
            await release().ConfigureAwait(false);
        }
    }

    private async Task<PartitionShared> ConnectAsync(CancellationToken cancel)
    {
        var queue = await QueueConnection.OpenAsync(
            new QueueOptions
            {
                Url = _options.NatsUrl,
                Role = QueueRole.Worker,
                Seed = await ReadSecretAsync(_options.NatsSeedFile, cancel).ConfigureAwait(false),
                Name = $"worker {Owner}",
                LoggerFactory = _loggers,
            },
            cancel).ConfigureAwait(false);
        _resources.Push(queue.DisposeAsync);
        var topology = _options.Topology with { Partitions = _options.Partitions };
        await Topology.CreateAsync(queue, topology, cancel).ConfigureAwait(false);
        _resources.Push(TopologyKeeper.Start(queue, topology).DisposeAsync);
        var leases = await LeaseStore.OpenAsync(queue, Owner, _options.Lease, cancel).ConfigureAwait(false);
        var offsets = await OffsetStore.OpenAsync(queue, cancel).ConfigureAwait(false);
        var client = await OpenStorageAsync(leases, cancel).ConfigureAwait(false);
        var recovery = new StorageClient(client.Options with { QueryTimeout = ClickHouseCommitLog.Patience });
        Keep(recovery.Dispose);
        var storageMetrics = new StorageMetrics();
        var store = new ClickHouseBatchStore(client, storageMetrics, Owner, _options.BeforeSend);
        var materializer = GraphSettings.CreateMaterializer(_system, $"worker-{Owner}");
        var clock = new LingerClock(TimeProvider.System, _options.LingerMinimum, _options.LingerMaximum);
        var limits = new InserterLimits { MaxRows = _options.MaxRowsPerBlock };
        var abandoned = new AbandonedInserts();
        var quota = new DeadLetterQuota(TimeProvider.System, _options.DeadLettersPerHour);
        _rows = await RowProducer.OpenAsync(
            queue,
            new RowProducerOptions { Role = "worker", Name = Environment.MachineName, Partitions = _options.Partitions },
            cancel).ConfigureAwait(false);
        _resources.Push(_rows.DisposeAsync);
        var alerts = new LoggedAlerts(_metrics, _logger, new AlertRows(_rows, _metrics), _alerts);
        _raised = alerts;
        var inserter = new Inserter(
            new BlockInsert(store, abandoned, quota, alerts, TimeProvider.System, _metrics, _logger),
            limits,
            clock,
            _options.Partitions * _options.OpenRanges,
            Running,
            _metrics,
            _logger);
        _resources.Push(LedgerWatch.Start(new LedgerSettler(recovery), _options.LedgerInterval, OwnsFirst, alerts, _metrics, _logger).DisposeAsync);
        _resources.Push(PartWatch.Start(new WrittenParts(client), _options.PartInterval, alerts, _metrics, _logger).DisposeAsync);
        Keep(storageMetrics.Dispose);
        Keep(store.Dispose);
        Keep(materializer.Dispose);
        _resources.Push(StopPartitionsAsync);
        _resources.Push(inserter.DisposeAsync);
        return new PartitionShared(
            _options,
            queue,
            topology,
            leases,
            offsets,
            new ClickHouseCommitLog(
                recovery,
                store,
                abandoned,
                Owner,
                _options.Partitions,
                LaneMemory.For(_options.TtlDays),
                () => Topology.OldestMessageAsync(queue, _options.Partitions)),
            inserter,
            clock,
            // A round merges one range of every partition into one block.
            new RangeLimits(Math.Max(limits.MaxRows / _options.Partitions, Limits.MaxRows), limits.MaxBytes / _options.Partitions),
            materializer,
            quota,
            alerts,
            _metrics,
            _logger);
    }

    private async Task<StorageClient> OpenStorageAsync(LeaseStore leases, CancellationToken cancel)
    {
        var client = new StorageClient(new StorageOptions
        {
            Url = _options.ClickHouseUrl,
            User = _options.ClickHouseUser,
            Password = await ReadSecretAsync(_options.ClickHousePasswordFile, cancel).ConfigureAwait(false),
            Database = _options.Database,
            RetentionDays = _options.TtlDays,
            LedgerRetentionDays = Math.Max(_options.TtlDays + 1, new StorageOptions { Url = _options.ClickHouseUrl }.LedgerRetentionDays),
            // An owner that lost its lease must not have an insert running much longer than its successor waits; half of it is what a
            // statement may take to begin (see LeaseKeeper).
            InsertTimeout = _options.Lease * 2 / 3,
            ShortDiskBytes = _options.ShortDiskBytes,
        });
        Keep(client.Dispose);
        var migrator = new Migrator(client, new MigrationLease(leases, _options.Lease), Owner, _loggers.CreateLogger<Migrator>());
        await migrator.RunAsync(cancel).ConfigureAwait(false);
        await new ServerProbe(client).DemandAsync(cancel).ConfigureAwait(false);
        return client;
    }

    private PartitionHealth[] Partitions()
    {
        lock (_partitions)
        {
            return [.. _partitions.Select(static partition => partition.Health)];
        }
    }

    // Asked for each range: the state alone, not what partitions hold.
    private int Running()
    {
        lock (_partitions)
        {
            return _partitions.Count(static partition => partition.State == PartitionState.Running);
        }
    }

    /// <summary>One worker settles the ledger: whoever has partition 0.</summary>
    private bool OwnsFirst()
    {
        lock (_partitions)
        {
            return _partitions.Count != 0 && _partitions[0].State == PartitionState.Running;
        }
    }

    private async ValueTask StopPartitionsAsync()
    {
        foreach (var partition in _partitions)
        {
            await partition.DisposeAsync().ConfigureAwait(false);
        }
    }

    private void Keep(Action release) => _resources.Push(() =>
    {
        release();
        return ValueTask.CompletedTask;
    });

    private static async Task<string> ReadSecretAsync(string path, CancellationToken cancel) =>
        (await File.ReadAllTextAsync(path, cancel).ConfigureAwait(false)).Trim();
}
