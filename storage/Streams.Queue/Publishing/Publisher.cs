using System.Globalization;
using NATS.Client.Core;
using Streams.Queue.Publishing;

namespace Streams.Queue;

/// <summary>
/// Publishes the messages of one partition with many under way at once. Constraints: a bounded number of messages and bytes without an
/// answer; one result per message,
/// in the order of publishing; nothing is ever sent twice by us. One caller publishes at a time (a graph stage); results come on any
/// thread, never two at once.
/// <para>
/// Acknowledgements come back to one inbox, <c>{inbox}.{incarnation}.{slot}</c>, whose subjects are made once, so a message costs no
/// task and no timer. When answers
/// fail to come, all messages under way become ambiguous and the incarnation rises: a late answer to an old one can never be taken for a
/// newer message's.
/// </para>
/// </summary>
public sealed class Publisher : IAsyncDisposable
{
    // The server's max_payload counts headers; ours are about 400 bytes.
    private const int HeaderReserve = 4096;
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(100);

    private readonly QueueConnection _connection;
    private readonly PublisherOptions _options;
    private readonly Action<PublishResult> _onResult;
    private readonly Lock _gate = new();
    private readonly Window _window;
    private readonly string _inbox;
    private readonly string[] _replies;
    private readonly Dictionary<string, string> _subjects = new(StringComparer.Ordinal);
    private readonly int _partition;
    private readonly Timer _timer;
    private readonly CancellationTokenSource _closed = new();
    private INatsSub<NatsMemoryOwner<byte>>? _answers;
    private Task _loop = Task.CompletedTask;
    private TaskCompletionSource? _room;
    private uint _incarnation;
    private bool _delivering;

    private Publisher(QueueConnection connection, int partition, PublisherOptions options, Action<PublishResult> onResult)
    {
        _connection = connection;
        _partition = partition;
        _options = options;
        _onResult = onResult;
        _window = new Window(options.WindowMessages, options.WindowBytes);
        _inbox = connection.NewReplyPrefix();
        _replies = new string[options.WindowMessages];
        NameReplies();
        _timer = new Timer(_ => CheckOverdue(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Messages published whose result was not delivered yet.</summary>
    public int InFlight
    {
        get
        {
            lock (_gate)
                return _window.Count;
        }
    }

    /// <summary>Opens the publisher of one partition.</summary>
    /// <param name="connection">Of the gateway's role.</param>
    /// <param name="partition">The partition.</param>
    /// <param name="options">Bounds.</param>
    /// <param name="onResult">Called once per message in order; must be quick, must not throw, must not block.</param>
    /// <param name="cancel">Gives up.</param>
    public static async Task<Publisher> OpenAsync(
        QueueConnection connection,
        int partition,
        PublisherOptions options,
        Action<PublishResult> onResult,
        CancellationToken cancel = default)
    {
        var publisher = new Publisher(connection, partition, options, onResult);
        // Twice the window: an answer to every slot, and late ones of the incarnation before.
        publisher._answers = await connection.Nats.SubscribeCoreAsync(
            publisher._inbox + ".*.*",
            serializer: NatsRawSerializer<NatsMemoryOwner<byte>>.Default,
            opts: new NatsSubOpts { ChannelOpts = new NatsSubChannelOpts { Capacity = options.WindowMessages * 2 } },
            cancellationToken: cancel).ConfigureAwait(false);
        publisher._loop = publisher.ReadAnswersAsync();
        connection.Lost += publisher.OnLost;
        connection.Opened += publisher.WakeUp;
        publisher._timer.Change(Tick, Tick);
        return publisher;
    }

    /// <summary>
    /// Publishes one message: waits while the window is full or the connection is away, then hands it to the socket. When it returns the
    /// payload's memory is free again;
    /// the result comes to the callback under the returned ticket.
    /// </summary>
    /// <exception cref="OperationCanceledException">Cancelled while waiting: nothing was sent and no result comes.</exception>
    public async ValueTask<ulong> PublishAsync(
        string agentId, MessageHeaders headers, ReadOnlyMemory<byte> payload, object? state = null, CancellationToken cancel = default)
    {
        var natsHeaders = headers.ToNats(agentId);
        ulong ticket;
        int slot;
        string reply;
        while (true)
        {
            Task room;
            lock (_gate)
            {
                ObjectDisposedException.ThrowIf(_closed.IsCancellationRequested, this);
                if (_connection.IsConnected && _window.HasRoom(payload.Length))
                {
                    (ticket, slot) = _window.Add(payload.Length, state);
                    reply = _replies[slot];
                    break;
                }

                room = (_room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            }

            await room.WaitAsync(cancel).ConfigureAwait(false);
        }

        if (payload.Length > (_connection.Nats.ServerInfo?.MaxPayload ?? int.MaxValue) - HeaderReserve)
        {
            Answer(slot, PublishOutcome.Refused, 0, 0);
            return ticket;
        }

        try
        {
            await _connection.Nats.PublishAsync(
                SubjectOf(agentId),
                payload,
                natsHeaders,
                reply,
                NatsRawSerializer<ReadOnlyMemory<byte>>.Default,
                null,
                CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception error) when (error is NatsException or OperationCanceledException or IOException)
        {
            // The client gave up on the connection; part of the message may be under way.
            Answer(slot, PublishOutcome.Ambiguous, 0, 0);
        }

        return ticket;
    }

    /// <summary>Waits until every message published so far has its result.</summary>
    public async Task DrainAsync(CancellationToken cancel = default)
    {
        while (true)
        {
            Task room;
            lock (_gate)
            {
                if (_window.Count == 0 && !_delivering)
                    return;
                room = (_room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            }

            await room.WaitAsync(cancel).ConfigureAwait(false);
        }
    }

    /// <summary>Ends the publisher; messages without an answer get the result ambiguous.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_closed.IsCancellationRequested)
            return;
        await _closed.CancelAsync().ConfigureAwait(false);
        _connection.Lost -= OnLost;
        _connection.Opened -= WakeUp;
        await _timer.DisposeAsync().ConfigureAwait(false);
        if (_answers is not null)
            await _answers.DisposeAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        GiveUp();
        WakeUp();
    }

    private string SubjectOf(string agentId)
    {
        if (_subjects.TryGetValue(agentId, out var subject))
            return subject;
        if (!Subjects.IsAgentId(agentId))
            throw new ArgumentException("Not an agent id.", nameof(agentId));
        // Agents come and go: a map that only grows would be a leak, and making it anew costs little.
        if (_subjects.Count >= 16_384)
            _subjects.Clear();
        return _subjects[agentId] = Subjects.Ingest(_partition, agentId);
    }

    private void NameReplies()
    {
        for (var slot = 0; slot < _replies.Length; slot++)
            _replies[slot] = string.Create(CultureInfo.InvariantCulture, $"{_inbox}.{_incarnation}.{slot}");
    }

    private async Task ReadAnswersAsync()
    {
        await foreach (var message in _answers!.Msgs.ReadAllAsync(_closed.Token).ConfigureAwait(false))
        {
            using var data = message.Data;
            var subject = message.Subject.AsSpan();
            var dot = subject.LastIndexOf('.');
            if (!int.TryParse(subject[(dot + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var slot))
                continue;
            if (!uint.TryParse(subject[(_inbox.Length + 1)..dot], NumberStyles.None, CultureInfo.InvariantCulture, out var incarnation))
                continue;
            // "No responders": no stream listens to the subject.
            if (message.HasNoResponders)
                Answer(slot, PublishOutcome.Refused, 0, 503, incarnation);
            else if (AckParser.TryRead(data.Span, out var outcome, out var sequence, out var errorCode))
                Answer(slot, outcome, sequence, errorCode, incarnation);
        }
    }

    private void Answer(int slot, PublishOutcome outcome, ulong sequence, int errorCode, uint? incarnation = null)
    {
        lock (_gate)
        {
            if ((incarnation is { } of && of != _incarnation) || !_window.TryAnswer(slot, outcome, sequence, errorCode))
                return;
        }

        Deliver();
    }

    // One thread at a time takes results out, so their order is the tickets' order; who finds another at work leaves the rest to it.
    private void Deliver()
    {
        lock (_gate)
        {
            if (_delivering)
                return;
            _delivering = true;
        }

        while (true)
        {
            PublishResult result;
            lock (_gate)
            {
                if (!_window.TryTake(out result))
                {
                    _delivering = false;
                    WakeUpLocked();
                    return;
                }

                if (_room is not null && _connection.IsConnected)
                    WakeUpLocked();
            }

            QueueMetrics.Shared.Published(result.Outcome, result.Bytes);
            _onResult(result);
        }
    }

    private void CheckOverdue()
    {
        bool overdue;
        lock (_gate)
            overdue = _window.IsOverdue(_options.AcknowledgeTimeout);
        if (overdue)
            GiveUp();
    }

    // The acknowledgements under way were addressed to a connection that is gone.
    private void OnLost() => GiveUp();

    private void GiveUp()
    {
        lock (_gate)
        {
            if (_window.Count == 0)
                return;
            _window.AnswerAll(PublishOutcome.Ambiguous);
            _incarnation++;
            NameReplies();
        }

        Deliver();
    }

    private void WakeUp()
    {
        lock (_gate)
            WakeUpLocked();
    }

    private void WakeUpLocked()
    {
        _room?.TrySetResult();
        _room = null;
    }
}
