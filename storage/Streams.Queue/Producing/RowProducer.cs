using System.Globalization;
using Microsoft.Extensions.Logging;
using Streams.Schema;

namespace Streams.Queue.Producing;

/// <summary>
/// Sends rows that a server process bears over the same queue as everybody's data: agent id <c>_ROLE-NAME</c>, an epoch and a lane of its
/// own, session generation 0. One message at a time, sent again under its name until the partition's owner says that it is committed, so
/// that nothing the queue loses is missing and no gap needs a rewind. ClickHouse is not asked.
/// Bound: 4,096 rows and 240 KB of each class, and the message under way; beyond it a row is counted as dropped, here and in the ledger.
/// </summary>
public sealed partial class RowProducer : IAsyncDisposable
{
    private static readonly TimeSpan LongestDoubt = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly RowProducerOptions _options;
    private readonly ILogger _logger;
    private readonly int _partition;
    private readonly RowBatches _rows = new(TimeProvider.System);
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationTokenSource _closed = new();
    private readonly SemaphoreSlim _appended = new(0, 1);
    private readonly LaneNews _news = new();
    private Publisher? _publisher;
    private FlowSubscriber? _flow;
    private Task _loop = Task.CompletedTask;
    private Epoch _epoch = Epoch.NewRandom();
    private uint _n;
    private int _disposed;

    private RowProducer(RowProducerOptions options, ILogger logger)
    {
        _options = options;
        _logger = logger;
        AgentId = IdOf(options.Role, options.Name);
        _partition = Subjects.PartitionOf(AgentId, options.Partitions);
    }

    /// <summary>The id that its rows have.</summary>
    public string AgentId { get; }

    /// <summary>Opens a producer; the connection is not owned.</summary>
    /// <param name="queue">Not of the operator's role.</param>
    /// <exception cref="QueueException">The queue cannot be used.</exception>
    public static async Task<RowProducer> OpenAsync(QueueConnection queue, RowProducerOptions options, CancellationToken cancel = default)
    {
        var producer = new RowProducer(options, queue.Options.LoggerFactory.CreateLogger<RowProducer>());
        try
        {
            producer._flow = await FlowSubscriber.OpenAsync(queue, producer._partition, producer.OnFlow, cancel).ConfigureAwait(false);
            producer._publisher = await Publisher.OpenAsync(
                queue, producer._partition, new PublisherOptions(), producer._news.OnResult, cancel).ConfigureAwait(false);
        }
        catch
        {
            await producer.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        producer._loop = Task.Run(producer.RunAsync);
        return producer;
    }

    /// <summary>The agent id of a role's process: what no agent id may have becomes a hyphen.</summary>
    public static string IdOf(string role, string name)
    {
        var plain = string.Concat(name.ToLowerInvariant().Take(50).Select(static c => char.IsAsciiLetterOrDigit(c) ? c : '-')).Trim('-');
        return string.Create(CultureInfo.InvariantCulture, $"_{role}-{(plain.Length == 0 ? "host" : plain)}");
    }

    /// <summary>
    /// Appends a row. Never waits; <paramref name="fill"/> runs under a lock and only sets columns, texts by <see cref="RowText"/>. Time
    /// and sequence are set already.
    /// </summary>
    /// <param name="eventClass">A class that servers produce.</param>
    /// <returns>False: no room, or stopped; counted as dropped.</returns>
    public bool TryAppend<T>(EventClass eventClass, in T row, Action<BatchBuilder, T> fill)
    {
        if (eventClass.Producer != EventProducer.Server)
            throw new ArgumentException($"{eventClass.Name} is not produced by servers", nameof(eventClass));
        if (_stopping.IsCancellationRequested || !_rows.TryAppend(eventClass, row, fill))
        {
            QueueMetrics.Shared.Rows("dropped", 1);
            return false;
        }

        QueueMetrics.Shared.Rows("appended", 1);
        LaneNews.Wake(_appended);
        return true;
    }

    /// <summary>Takes no more rows, and sends what waits until it is committed or patience ends.</summary>
    /// <returns>Whether all is committed.</returns>
    public async Task<bool> StopAsync(TimeSpan patience)
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        LaneNews.Wake(_appended);
        await _loop.WaitAsync(patience).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        var whole = _loop.IsCompletedSuccessfully;
        await DisposeAsync().ConfigureAwait(false);
        return whole;
    }

    /// <summary>Ends at once: what is not committed yet is left to the queue, what was not sent is gone.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _closed.CancelAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_publisher is not null)
            await _publisher.DisposeAsync().ConfigureAwait(false);
        if (_flow is not null)
            await _flow.DisposeAsync().ConfigureAwait(false);
        _rows.Dispose();
    }

    private void OnFlow(FlowRecord record)
    {
        if (record.AgentId == AgentId)
            _news.OnFlow(record);
    }

    private async Task RunAsync()
    {
        try
        {
            while (!_stopping.IsCancellationRequested || !_rows.IsEmpty)
            {
                await _appended.WaitAsync(_closed.Token).ConfigureAwait(false);
                await Task.Delay(_options.Linger, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                while (_rows.Seal(_epoch, _n) is { } message)
                {
                    await CommitAsync(message).ConfigureAwait(false);
                    QueueMetrics.Shared.Rows("committed", message.Rows);
                }
            }
        }
        catch (Exception error) when (!_closed.IsCancellationRequested)
        {
            // What is appended from now on fills its bound and is counted as dropped.
            LogEnded(AgentId, error);
            throw;
        }
    }

    private async Task CommitAsync(RowMessage message)
    {
        for (var sending = 0u; ; sending++)
        {
            _news.Expect(_epoch, message);
            await _publisher!.PublishAsync(AgentId, Headers(message, sending), message.Bytes, cancel: _closed.Token).ConfigureAwait(false);
            var fate = await FateAsync(message).ConfigureAwait(false);
            if (fate == RowFate.Committed)
            {
                _n = message.End;
                return;
            }

            QueueMetrics.Shared.Rows("resent", message.Rows);
            await Task.Delay(_options.Pause, _closed.Token).ConfigureAwait(false);
            if (fate == RowFate.Forgotten)
            {
                // The tables were wiped, or the lane was silent for longer than the worker knows one: its numbers begin again.
                LogForgotten(AgentId, _epoch);
                _epoch = Epoch.NewRandom();
                message = message.Rename(_epoch);
            }
        }
    }

    private async Task<RowFate> FateAsync(RowMessage message)
    {
        var doubt = _options.Doubt;
        while (true)
        {
            if (_news.Judge() is { } told)
                return told;
            if (await _news.WaitAsync(doubt, _closed.Token).ConfigureAwait(false))
                continue;
            var records = await _flow!.AskAsync(_partition, AgentId, Patience, _closed.Token).ConfigureAwait(false);
            if (records is not null)
                _news.OnAnswer(records);
            else
                LogWait(AgentId, message.Rows);
            doubt = doubt * 2 < LongestDoubt ? doubt * 2 : LongestDoubt;
        }
    }

    private MessageHeaders Headers(RowMessage message, uint sending) => new()
    {
        Epoch = _epoch,
        Lane = 0,
        First = message.First,
        Count = message.Count,
        Class = PriorityClass.Alert,
        ReceivedAt = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() * 1000,
        Generation = 0,
        Catalogue = Catalogue.Version,
        Host = AgentId,
        Resend = sending,
    };

    [LoggerMessage(4114, LogLevel.Warning, "{AgentId}: {Rows} rows wait to be stored: nobody owns their partition now")]
    private partial void LogWait(string agentId, long rows);

    [LoggerMessage(4116, LogLevel.Error, "system alert: {AgentId} sends no more rows")]
    private partial void LogEnded(string agentId, Exception error);

    [LoggerMessage(4115, LogLevel.Warning, "{AgentId}: the lane of epoch {Epoch} is not known any more, its rows go on in a new one")]
    private partial void LogForgotten(string agentId, Epoch epoch);
}
