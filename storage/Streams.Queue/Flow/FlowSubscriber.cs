using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using NATS.Client.Core;

namespace Streams.Queue;

/// <summary>A producer's side of flow: hears the partitions' owners, and asks them.</summary>
public sealed partial class FlowSubscriber : IAsyncDisposable
{
    private readonly AnswerInbox _answers;
    private readonly ConcurrentDictionary<int, FlowQuestions> _questions = new();
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _closed = new();
    private INatsSub<NatsMemoryOwner<byte>>? _flow;
    private Task _loop = Task.CompletedTask;

    private FlowSubscriber(AnswerInbox answers, ILogger logger)
    {
        _answers = answers;
        _logger = logger;
    }

    /// <summary>Starts to listen to all partitions.</summary>
    /// <param name="connection">Not of the operator's role.</param>
    /// <param name="onRecord">Called for every record; must be quick. What it throws is logged and counted, and the record is gone. A
    /// record heard twice, or an older watermark, is
    /// possible and harmless.</param>
    /// <param name="cancel">Gives up.</param>
    public static Task<FlowSubscriber> OpenAsync(
        QueueConnection connection, Action<FlowRecord> onRecord, CancellationToken cancel = default) =>
        OpenAsync(connection, "flow.*", onRecord, cancel);

    /// <summary>Starts to listen to one partition.</summary>
    /// <inheritdoc cref="OpenAsync(QueueConnection, Action{FlowRecord}, CancellationToken)"/>
    public static Task<FlowSubscriber> OpenAsync(
        QueueConnection connection, int partition, Action<FlowRecord> onRecord, CancellationToken cancel = default) =>
        OpenAsync(connection, Subjects.Flow(partition), onRecord, cancel);

    /// <summary>Asks the owner of the partition for all lanes of an agent.</summary>
    /// <returns>The records (none for an agent it never saw), or null: nobody owns the partition now, or it did not answer in
    /// time.</returns>
    public Task<IReadOnlyList<FlowRecord>?> AskAsync(
        int partition, string agentId, TimeSpan patience, CancellationToken cancel = default) =>
        _questions.GetOrAdd(partition, static (partition, answers) => new FlowQuestions(answers, partition), _answers).AskAsync(agentId, patience, cancel);

    public async ValueTask DisposeAsync()
    {
        await _closed.CancelAsync().ConfigureAwait(false);
        if (_flow is not null)
            await _flow.DisposeAsync().ConfigureAwait(false);
        await _answers.DisposeAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private static async Task<FlowSubscriber> OpenAsync(
        QueueConnection connection, string subject, Action<FlowRecord> onRecord, CancellationToken cancel)
    {
        var answers = await AnswerInbox.OpenAsync(connection, cancel).ConfigureAwait(false);
        var flow = new FlowSubscriber(answers, connection.Options.LoggerFactory.CreateLogger<FlowSubscriber>());
        try
        {
            flow._flow = await connection.Nats.SubscribeCoreAsync(
                subject,
                serializer: NatsRawSerializer<NatsMemoryOwner<byte>>.Default,
                // Coalesced to a message a second and partition; what overflows is repeated by the next heartbeat's question.
                opts: new NatsSubOpts { ChannelOpts = new NatsSubChannelOpts { Capacity = 1024 } },
                cancellationToken: cancel).ConfigureAwait(false);
        }
        catch
        {
            await answers.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        flow._loop = flow.ListenAsync(onRecord);
        return flow;
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
