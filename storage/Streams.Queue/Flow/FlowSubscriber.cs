using NATS.Client.Core;

namespace Streams.Queue;

/// <summary>The gateway's side of flow: hears all partitions, and asks.</summary>
public sealed class FlowSubscriber : IAsyncDisposable
{
    private readonly QueueConnection _connection;
    private readonly CancellationTokenSource _closed = new();
    private INatsSub<NatsMemoryOwner<byte>>? _flow;
    private Task _loop = Task.CompletedTask;

    private FlowSubscriber(QueueConnection connection) => _connection = connection;

    /// <summary>Starts to listen.</summary>
    /// <param name="connection">Of the gateway's role.</param>
    /// <param name="onRecord">Called for every record; must be quick, must not throw. A record heard twice, or an older watermark, is possible and harmless.</param>
    /// <param name="cancel">Gives up.</param>
    public static async Task<FlowSubscriber> OpenAsync(QueueConnection connection, Action<FlowRecord> onRecord, CancellationToken cancel = default)
    {
        var flow = new FlowSubscriber(connection);
        flow._flow = await connection.Nats.SubscribeCoreAsync(
            "flow.*",
            serializer: NatsRawSerializer<NatsMemoryOwner<byte>>.Default,
            // Coalesced to a message a second and partition; what overflows is repeated by the next heartbeat's question.
            opts: new NatsSubOpts { ChannelOpts = new NatsSubChannelOpts { Capacity = 1024 } },
            cancellationToken: cancel).ConfigureAwait(false);
        flow._loop = flow.ListenAsync(onRecord);
        return flow;
    }

    /// <summary>Asks the owner of the partition for all lanes of an agent.</summary>
    /// <returns>The records (none for an agent it never saw), or null: nobody owns the partition now, or it did not answer in time.</returns>
    public async Task<IReadOnlyList<FlowRecord>?> AskAsync(int partition, string agentId, TimeSpan patience, CancellationToken cancel = default)
    {
        try
        {
            var answer = await _connection.Nats.RequestAsync(
                Subjects.Watermarks(partition),
                agentId,
                requestSerializer: NatsUtf8PrimitivesSerializer<string>.Default,
                replySerializer: NatsRawSerializer<NatsMemoryOwner<byte>>.Default,
                replyOpts: new NatsSubOpts { Timeout = patience },
                cancellationToken: cancel).ConfigureAwait(false);
            using var data = answer.Data;
            if (answer.HasNoResponders)
                return null;
            var records = new List<FlowRecord>();
            if (FlowCodec.TryRead(data.Span, records) == FlowError.None)
                return records;
            QueueMetrics.Shared.Error("flow");
            return null;
        }
        catch (NatsException)
        {
            return null;
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _closed.CancelAsync().ConfigureAwait(false);
        if (_flow is not null)
            await _flow.DisposeAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
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
                onRecord(record);
        }
    }
}
