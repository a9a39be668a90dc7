using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Extensions.Logging;
using NATS.Client.Core;

namespace Streams.Queue;

/// <summary>The gateway's side of flow: hears all partitions, and asks.</summary>
public sealed partial class FlowSubscriber : IAsyncDisposable
{
    private readonly QueueConnection _connection;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _closed = new();
    private readonly ConcurrentDictionary<long, TaskCompletionSource<IReadOnlyList<FlowRecord>?>> _questions = new();
    private readonly string _inbox = string.Create(CultureInfo.InvariantCulture, $"_ANSWER.{Guid.NewGuid():N}");
    private INatsSub<NatsMemoryOwner<byte>>? _flow;
    private INatsSub<NatsMemoryOwner<byte>>? _answers;
    private Task _loops = Task.CompletedTask;
    private long _asked;

    private FlowSubscriber(QueueConnection connection)
    {
        _connection = connection;
        _logger = connection.Options.LoggerFactory.CreateLogger<FlowSubscriber>();
    }

    /// <summary>Starts to listen.</summary>
    /// <param name="connection">Of the gateway's role.</param>
    /// <param name="onRecord">Called for every record; must be quick. What it throws is logged and counted, and the record is gone. A
    /// record heard twice, or an older watermark, is
    /// possible and harmless.</param>
    /// <param name="cancel">Gives up.</param>
    public static async Task<FlowSubscriber> OpenAsync(
        QueueConnection connection, Action<FlowRecord> onRecord, CancellationToken cancel = default)
    {
        var flow = new FlowSubscriber(connection);
        flow._flow = await connection.Nats.SubscribeCoreAsync(
            "flow.*",
            serializer: NatsRawSerializer<NatsMemoryOwner<byte>>.Default,
            // Coalesced to a message a second and partition; what overflows is repeated by the next heartbeat's question.
            opts: new NatsSubOpts { ChannelOpts = new NatsSubChannelOpts { Capacity = 1024 } },
            cancellationToken: cancel).ConfigureAwait(false);
        // Not the client's own inbox: a worker may publish here and nowhere else of ours.
        flow._answers = await connection.Nats.SubscribeCoreAsync(
            flow._inbox + ".*",
            serializer: NatsRawSerializer<NatsMemoryOwner<byte>>.Default,
            cancellationToken: cancel).ConfigureAwait(false);
        flow._loops = Task.WhenAll(flow.ListenAsync(onRecord), flow.TakeAnswersAsync());
        return flow;
    }

    /// <summary>Asks the owner of the partition for all lanes of an agent.</summary>
    /// <returns>The records (none for an agent it never saw), or null: nobody owns the partition now, or it did not answer in
    /// time.</returns>
    public async Task<IReadOnlyList<FlowRecord>?> AskAsync(
        int partition, string agentId, TimeSpan patience, CancellationToken cancel = default)
    {
        var question = Interlocked.Increment(ref _asked);
        var answer = new TaskCompletionSource<IReadOnlyList<FlowRecord>?>(TaskCreationOptions.RunContinuationsAsynchronously);
        _questions[question] = answer;
        try
        {
            await _connection.Nats.PublishAsync(
                Subjects.Watermarks(partition),
                agentId,
                replyTo: string.Create(CultureInfo.InvariantCulture, $"{_inbox}.{question}"),
                serializer: NatsUtf8PrimitivesSerializer<string>.Default,
                cancellationToken: cancel).ConfigureAwait(false);
            return await answer.Task.WaitAsync(patience, cancel).ConfigureAwait(false);
        }
        catch (Exception error) when (ClientFault.Is(error, cancel))
        {
            return null;
        }
        finally
        {
            _questions.TryRemove(question, out _);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _closed.CancelAsync().ConfigureAwait(false);
        if (_flow is not null)
            await _flow.DisposeAsync().ConfigureAwait(false);
        if (_answers is not null)
            await _answers.DisposeAsync().ConfigureAwait(false);
        await _loops.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task TakeAnswersAsync()
    {
        await foreach (var message in _answers!.Msgs.ReadAllAsync(_closed.Token).ConfigureAwait(false))
        {
            using var data = message.Data;
            var number = message.Subject.AsSpan(_inbox.Length + 1);
            if (!long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var question)
                || !_questions.TryRemove(question, out var answer))
                continue;
            var records = new List<FlowRecord>();
            var understood = !message.HasNoResponders && FlowCodec.TryRead(data.Span, records) == FlowError.None;
            if (!understood && !message.HasNoResponders)
                QueueMetrics.Shared.Error("flow");
            answer.TrySetResult(understood ? records : null);
        }
    }

    private async Task ListenAsync(Action<FlowRecord> onRecord)
    {
        var records = new List<FlowRecord>();
        await foreach (var message in _flow!.Msgs.ReadAllAsync(_closed.Token).ConfigureAwait(false))
        {
            using var data = message.Data;
            records.Clear();
            if (FlowCodec.TryRead(data.Span, records) != FlowError.None)
            {
                QueueMetrics.Shared.Error("flow");
                continue;
            }

            foreach (var record in records)
                Hand(record, onRecord);
        }
    }

    // One record that the caller cannot take must not make this gateway deaf for all others.
    private void Hand(FlowRecord record, Action<FlowRecord> onRecord)
    {
        try
        {
            onRecord(record);
        }
        catch (Exception error)
        {
            QueueMetrics.Shared.Error("flow_handler");
            LogHandler(record.AgentId, error);
        }
    }

    [LoggerMessage(4111, LogLevel.Error, "system alert: a flow record of {AgentId} was not handled")]
    private partial void LogHandler(string agentId, Exception error);
}
