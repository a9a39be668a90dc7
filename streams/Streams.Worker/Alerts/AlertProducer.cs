using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Streams.Queue;
using Streams.Schema;
using Streams.Storage;

namespace Streams.Worker.Alerts;

/// <summary>
/// Sends this process's alerts as rows of <c>system_alert</c> over the same queue as everybody's data: agent id <c>_worker-HOST</c>, an
/// epoch of its own, session generation 0. One batch at a time, sent again under its name until the ledger has it, so that nothing the
/// queue loses is missing and no gap needs a rewind.
/// Bound: <see cref="Waiting"/> alerts; beyond it an alert is a log event and a counter only, and counted as dropped.
/// </summary>
internal sealed class AlertProducer : ISystemAlerts, IAsyncDisposable
{
    private const int Waiting = 1024;

    // Alerts come in bursts; a batch for each would be a part for each.
    private static readonly TimeSpan Linger = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    private readonly Channel<SystemAlert> _alerts = Channel.CreateBounded<SystemAlert>(
        new BoundedChannelOptions(Waiting) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });
    private readonly CancellationTokenSource _stop = new();
    private readonly AlertBatch _batch = new();
    private readonly string _agentId;
    private readonly Publisher _publisher;
    private readonly StorageReader _reader;
    private readonly WorkerMetrics _metrics;
    private readonly ILogger _logger;
    private readonly Task _loop;

    private AlertProducer(string agentId, Publisher publisher, StorageReader reader, WorkerMetrics metrics, ILogger logger)
    {
        _agentId = agentId;
        _publisher = publisher;
        _reader = reader;
        _metrics = metrics;
        _logger = logger;
        _loop = Task.Run(RunAsync);
    }

    public static async Task<AlertProducer> OpenAsync(
        QueueConnection queue, int partitions, StorageClient client, WorkerMetrics metrics, ILogger logger, CancellationToken cancel)
    {
        var agentId = IdOf(Environment.MachineName);
        var publisher = await Publisher.OpenAsync(
            queue, Subjects.PartitionOf(agentId, partitions), new PublisherOptions(), static _ => { }, cancel).ConfigureAwait(false);
        return new AlertProducer(agentId, publisher, new StorageReader(client), metrics, logger);
    }

    /// <summary>The agent id of a worker on a host: what no agent id may have becomes a hyphen.</summary>
    public static string IdOf(string host)
    {
        var name = string.Concat(host.ToLowerInvariant().Take(50).Select(static c => char.IsAsciiLetterOrDigit(c) ? c : '-')).Trim('-');
        return "_worker-" + (name.Length == 0 ? "host" : name);
    }

    public void Raise(string kind, string subject, string detail)
    {
        var at = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() * 1000;
        if (!_alerts.Writer.TryWrite(new SystemAlert(at, kind, subject, detail)))
        {
            _metrics.AlertDropped();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _publisher.DisposeAsync().ConfigureAwait(false);
        _batch.Dispose();
    }

    private async Task RunAsync()
    {
        var alerts = new List<SystemAlert>(AlertBatch.MaxRows);
        while (await _alerts.Reader.WaitToReadAsync(_stop.Token).ConfigureAwait(false))
        {
            await Task.Delay(Linger, _stop.Token).ConfigureAwait(false);
            alerts.Clear();
            while (alerts.Count < AlertBatch.MaxRows && _alerts.Reader.TryRead(out var alert))
            {
                alerts.Add(alert);
            }

            var n = _batch.N;
            var bytes = _batch.Seal(alerts);
            var headers = Headers(n);
            do
            {
                await _publisher.PublishAsync(_agentId, headers, bytes, cancel: _stop.Token).ConfigureAwait(false);
            }
            while (!await CommittedAsync(n).ConfigureAwait(false));
        }
    }

    private async Task<bool> CommittedAsync(uint n)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(began) < Patience)
        {
            await Task.Delay(Look, _stop.Token).ConfigureAwait(false);
            try
            {
                var lanes = await _reader.CommittedLanesAsync(agentId: _agentId, cancellation: _stop.Token).ConfigureAwait(false);
                if (lanes.Exists(lane => lane.Epoch == _batch.Epoch && lane.Committed > n))
                {
                    return true;
                }
            }
            catch (Exception error) when (!_stop.IsCancellationRequested && error is not OutOfMemoryException)
            {
                // ClickHouse is away: nothing is committed meanwhile either.
                _logger.AlertsWait(error.Message);
            }
        }

        return false;
    }

    private MessageHeaders Headers(uint n) => new()
    {
        Epoch = _batch.Epoch,
        Lane = 0,
        First = n,
        Count = 1,
        Class = PriorityClass.Alert,
        ReceivedAt = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() * 1000,
        Generation = 0,
        Catalogue = Catalogue.Version,
        Host = _agentId,
    };
}
