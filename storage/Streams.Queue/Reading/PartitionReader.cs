using System.Globalization;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using NATS.Client.Core;
using NATS.Client.JetStream.Models;
using Streams.Queue.Reading;

namespace Streams.Queue;

/// <summary>
/// Reads one partition in order from a sequence, for one caller. Constraints: no message twice, none left out without a word, a bounded
/// number of bytes ahead of the
/// caller. It heals what a connection, a server restart or a lost delivery does; what it cannot heal it reports as a
/// <see cref="ReadCondition"/>.
/// </summary>
public sealed partial class PartitionReader : IAsyncDisposable
{
    private static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(200);

    private readonly QueueConnection _connection;
    private readonly ReaderOptions _options;
    private readonly string _stream;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _closed = new();

    // Bound: PrefetchBytes of payload. A request goes out only while at most half of it is ahead, at most two are out, and each is for a
    // quarter (1 MiB where that is more). The writer never waits: what was asked for has its place. A condition comes at most once a
    // message.
    private readonly Channel<Item> _items = Channel.CreateUnbounded<Item>(
        new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });
    private readonly SemaphoreSlim _taken = new(0, 1);
    private readonly Task _pump;
    private TaskCompletionSource _reopened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private DateTimeOffset _created;
    private ulong _expected;
    private ulong _purgedTo;
    private long _ahead;
    private bool _unread = true;
    private Item? _kept;

    private PartitionReader(QueueConnection connection, int partition, ulong from, DateTimeOffset? created, ReaderOptions options)
    {
        _connection = connection;
        _options = options;
        _stream = Subjects.Stream(partition);
        _expected = from;
        _created = created ?? default;
        _logger = connection.Options.LoggerFactory.CreateLogger<PartitionReader>();
        connection.Opened += OnReopened;
        connection.Lost += OnReopened;
        _pump = Task.Run(PumpAsync);
    }

    /// <summary>When the stream was made; known after the first read. Two streams of one name differ in it.</summary>
    public DateTimeOffset StreamCreated => _created;

    /// <summary>True while all that the stream had at the last look is with the caller and given back.</summary>
    public bool IsCaughtUp => !Volatile.Read(ref _unread) && Interlocked.Read(ref _ahead) == 0;

    /// <summary>Bytes of payload read ahead, or with the caller and not given back; at most <see cref="ReaderOptions.PrefetchBytes"/> and a message.</summary>
    public long AheadBytes => Interlocked.Read(ref _ahead);

    /// <summary>Starts reading.</summary>
    /// <param name="connection">Of the worker's role.</param>
    /// <param name="partition">The partition.</param>
    /// <param name="from">First sequence wanted; 0 for the first that is there, without a check for a gap before it.</param>
    /// <param name="created">The creation time of the stream that <paramref name="from"/> belongs to; null takes the stream that is
    /// there.</param>
    /// <param name="options">Bounds.</param>
    public static PartitionReader Start(
        QueueConnection connection, int partition, ulong from, DateTimeOffset? created = null, ReaderOptions? options = null) =>
        new(connection, partition, from, created, options ?? new ReaderOptions());

    /// <summary>Waits for messages or a condition. One call at a time; the batch before may still be undisposed.</summary>
    public async ValueTask<ReadBatch> ReadAsync(CancellationToken cancel = default)
    {
        var item = _kept ?? await _items.Reader.ReadAsync(cancel).ConfigureAwait(false);
        _kept = null;
        if (item.Condition is { } condition)
            return condition;
        var batch = new ReadBatch(ReadCondition.Messages);
        batch.Add(item.Message);
        while (batch.Messages.Count < _options.BatchMessages && _items.Reader.TryRead(out item))
        {
            if (item.Condition is not null)
            {
                _kept = item;
                break;
            }

            batch.Add(item.Message);
        }

        QueueMetrics.Shared.Received(batch.Messages.Count, batch.Bytes);
        batch.OnRelease(Release);
        return batch;
    }

    /// <summary>Deletes what is committed: all messages up to and including this sequence. Needs no write of ours to the queue before
    /// it.</summary>
    /// <exception cref="QueueException">The server refused or did not answer; purge again with the next commit.</exception>
    public async Task PurgeAsync(ulong through, CancellationToken cancel = default)
    {
        try
        {
            // Noted first: the purge may be done though its answer is lost, and then a hole up to here is ours.
            InterlockedMax(ref _purgedTo, through);
            await _connection.JetStream.PurgeStreamAsync(
                _stream, new StreamPurgeRequest { Seq = through + 1 }, cancel).ConfigureAwait(false);
        }
        catch (Exception error) when (ClientFault.Is(error, cancel))
        {
            throw new QueueException($"{_stream} was not purged: {ClientFault.Reason(error)}", error);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_closed.IsCancellationRequested)
            return;
        await _closed.CancelAsync().ConfigureAwait(false);
        _connection.Opened -= OnReopened;
        _connection.Lost -= OnReopened;
        await _pump.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        while (_items.Reader.TryRead(out var item))
            item.Message.Release();
        _kept?.Message.Release();
        _kept = null;
    }

    private bool HasRoom => Interlocked.Read(ref _ahead) <= _options.PrefetchBytes / 2;

    private static void InterlockedMax(ref ulong location, ulong value)
    {
        var seen = Volatile.Read(ref location);
        while (value > seen)
        {
            var before = Interlocked.CompareExchange(ref location, value, seen);
            if (before == seen)
                return;
            seen = before;
        }
    }

    private void Release(long bytes)
    {
        Interlocked.Add(ref _ahead, -bytes);
        try
        {
            _taken.Release();
        }
        catch (SemaphoreFullException)
        {
            // Already signalled; the pump looks at the counter, the semaphore only wakes it.
        }
    }

    private void OnReopened() =>
        Interlocked.Exchange(ref _reopened, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();

    private async Task PumpAsync()
    {
        var cancel = _closed.Token;
        while (!cancel.IsCancellationRequested)
        {
            // Taken before the position is checked: a loss of the connection from here on is seen by the round below.
            var reopened = Volatile.Read(ref _reopened).Task;
            try
            {
                if (await CheckStreamAsync(cancel).ConfigureAwait(false) is { } reset)
                {
                    Report(reset);
                    return;
                }

                await using var consumer = await PullConsumer.OpenAsync(
                    _connection, _stream, _expected, _options, cancel).ConfigureAwait(false);
                await ReadOnAsync(consumer, reopened, cancel).ConfigureAwait(false);
                QueueMetrics.Shared.Error("reposition");
            }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested)
            {
                return;
            }
            catch (Exception error) when (ClientFault.Is(error, cancel))
            {
                QueueMetrics.Shared.Error("reposition");
                LogRetry(_stream, _expected, error.Message);
                await Task.Delay(RetryPause, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (Exception error)
            {
                // A fault of this program or of the client: without a word to the caller the partition would stand still for ever.
                QueueMetrics.Shared.Error("pump");
                Report(new ReadBatch(ReadCondition.StreamReset, $"{_stream}: reading failed: {error.GetType().Name}: {error.Message}"));
                return;
            }
        }
    }

    // A stream that was made anew, or whose unsynced end was lost, gives our sequences to other messages: never read on in silence.
    private async Task<ReadBatch?> CheckStreamAsync(CancellationToken cancel)
    {
        var info = await Topology.FindAsync(_connection, _stream, cancel).ConfigureAwait(false);
        if (info is null)
            return new ReadBatch(ReadCondition.StreamReset, $"{_stream} does not exist");
        if (_created == default)
            _created = info.Created;
        if (info.Created != _created)
            return new ReadBatch(
                ReadCondition.StreamReset, string.Create(CultureInfo.InvariantCulture, $"{_stream} was made anew at {info.Created:O}"));
        if (_expected > info.State.LastSeq + 1)
            return new ReadBatch(ReadCondition.StreamReset, $"{_stream} ends at {info.State.LastSeq}, {_expected} was expected next");
        Volatile.Write(ref _unread, info.State.Messages != 0 && _expected <= info.State.LastSeq);
        return null;
    }

    // Returns when the consumer is of no more use and another must be opened at the expected sequence.
    private async Task ReadOnAsync(PullConsumer consumer, Task reopened, CancellationToken cancel)
    {
        ulong delivered = 0;
        while (true)
        {
            while (consumer.Outstanding == 0 && !HasRoom)
                await _taken.WaitAsync(cancel).ConfigureAwait(false);
            // The second request goes out while the first is being answered: a round trip costs no pause.
            while (consumer.WantsRequest && HasRoom)
                await consumer.AskAsync(cancel).ConfigureAwait(false);
            if (!consumer.Messages.TryRead(out var message))
            {
                if (!await WaitAsync(consumer, reopened, cancel).ConfigureAwait(false))
                    return;
                continue;
            }

            if (!Delivery.TryParse(message.ReplyTo, out var delivery))
            {
                message.Data.Dispose();
                if (consumer.TryEndRequest(message.Subject, message.Headers))
                    continue;
                LogLost(_stream, _expected, message.Headers?.Code ?? 0);
                return;
            }

            if (delivery.ConsumerSequence != ++delivered || delivery.StreamSequence < _expected)
            {
                // A delivery was lost between the server and us (or came again): the messages are still in the stream.
                message.Data.Dispose();
                QueueMetrics.Shared.Error("redelivery");
                return;
            }

            consumer.Count();
            Accept(delivery.StreamSequence, message);
            Volatile.Write(ref _unread, delivery.Pending != 0);
        }
    }

    private async Task<bool> WaitAsync(PullConsumer consumer, Task reopened, CancellationToken cancel)
    {
        using var silence = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        silence.CancelAfter(_options.Heartbeat * 2.5);
        try
        {
            var more = consumer.Messages.WaitToReadAsync(silence.Token).AsTask();
            if (await Task.WhenAny(more, reopened).ConfigureAwait(false) == more)
                return await more.ConfigureAwait(false);
            await silence.CancelAsync().ConfigureAwait(false);
            await ((Task)more).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return false;
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return false;
        }
    }

    private void Accept(ulong sequence, NatsMsg<NatsMemoryOwner<byte>> message)
    {
        if (_expected != 0 && sequence != _expected && sequence - 1 > Volatile.Read(ref _purgedTo))
        {
            QueueMetrics.Shared.Error("gap");
            Report(new ReadBatch(ReadCondition.Gap, $"{_stream} has nothing from {_expected} to {sequence - 1}")
            {
                GapFrom = _expected,
                GapTo = sequence - 1,
            });
        }

        _expected = sequence + 1;
        var item = new IngestMessage(sequence, Subjects.ProducerOf(message.Subject).ToString(), message.Headers, message.Data);
        if (item.HeaderError.Fault != MessageHeaderFault.None)
            QueueMetrics.Shared.Error("header");
        Interlocked.Add(ref _ahead, item.Payload.Length);
        _items.Writer.TryWrite(new Item(item, null));
    }

    private void Report(ReadBatch condition)
    {
        LogCondition(condition.Condition, condition.Detail);
        if (condition.Condition == ReadCondition.StreamReset)
            QueueMetrics.Shared.Error("stream_reset");
        _items.Writer.TryWrite(new Item(default, condition));
    }

    private readonly record struct Item(IngestMessage Message, ReadBatch? Condition);

    [LoggerMessage(4101, LogLevel.Warning, "{Stream}: reading on from {Sequence} failed, trying again: {Reason}")]
    private partial void LogRetry(string stream, ulong sequence, string reason);

    [LoggerMessage(4102, LogLevel.Information, "{Stream}: the server ended the read at {Sequence} (status {Status}); asking anew")]
    private partial void LogLost(string stream, ulong sequence, int status);

    [LoggerMessage(4103, LogLevel.Error, "{Condition}: {Detail}")]
    private partial void LogCondition(ReadCondition condition, string detail);
}
