using Microsoft.Extensions.Logging;
using NATS.Client.Core;
using NATS.Client.JetStream;
using NATS.Client.JetStream.Models;

namespace Streams.Queue;

/// <summary>
/// The services' end of the responses: a durable consumer that all services processes share, so that each response is handled by one of
/// them, again if it was not handled. What is handled is removed from the stream, whose quota would else fill.
/// </summary>
public sealed partial class ResponseReader : IAsyncDisposable
{
    private const string Durable = "actions";
    private const int Batch = 64;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    /// <summary>Of one request for messages; after one that gave none it is looked whether the consumer is still there.</summary>
    private static readonly TimeSpan Expires = TimeSpan.FromSeconds(5);

    private readonly QueueConnection _connection;
    private readonly Func<string, ReadOnlyMemory<byte>, CancellationToken, Task> _handle;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _closed = new();
    private readonly Task _loop;
    private ulong _purged;

    private ResponseReader(QueueConnection connection, Func<string, ReadOnlyMemory<byte>, CancellationToken, Task> handle)
    {
        _connection = connection;
        _handle = handle;
        _logger = connection.Options.LoggerFactory.CreateLogger<ResponseReader>();
        _loop = Task.Run(RunAsync);
    }

    /// <param name="connection">Of the services' role.</param>
    /// <param name="handle">Handles one response of an agent. What it throws has it come again after half a minute.</param>
    public static ResponseReader Start(QueueConnection connection, Func<string, ReadOnlyMemory<byte>, CancellationToken, Task> handle) =>
        new(connection, handle);

    public async ValueTask DisposeAsync()
    {
        await _closed.CancelAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task RunAsync()
    {
        while (!_closed.IsCancellationRequested)
        {
            try
            {
                await ReadAsync().ConfigureAwait(false);
            }
            catch (Exception error) when (!_closed.IsCancellationRequested)
            {
                // Whatever it was: the consumer is made again and goes on where it was.
                QueueMetrics.Shared.Error("responses");
                LogEnded(error.Message);
            }

            await Task.Delay(Pause, _closed.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task ReadAsync()
    {
        var consumer = await _connection.JetStream.CreateOrUpdateConsumerAsync(
            Topology.Responses,
            new ConsumerConfig(Durable)
            {
                DeliverPolicy = ConsumerConfigDeliverPolicy.All,
                AckPolicy = ConsumerConfigAckPolicy.Explicit,
                AckWait = TimeSpan.FromSeconds(30),
                MaxAckPending = 4 * Batch,
                NumReplicas = 1,
            },
            _closed.Token).ConfigureAwait(false);
        var options = new NatsJSFetchOpts { MaxMsgs = Batch, Expires = Expires };
        while (true)
        {
            // Requests that end, so that a consumer which went with its stream is missed.
            await foreach (var message in consumer.FetchAsync(options, NatsRawSerializer<byte[]>.Default, _closed.Token).ConfigureAwait(false))
            {
                if (await TryHandleAsync(message).ConfigureAwait(false) && message.Metadata is { NumPending: 0 })
                    await MakeRoomAsync(consumer).ConfigureAwait(false);
            }

            await MakeRoomAsync(consumer).ConfigureAwait(false);
        }
    }

    private async Task<bool> TryHandleAsync(INatsJSMsg<byte[]> message)
    {
        try
        {
            await _handle(Subjects.AgentOf(message.Subject).ToString(), message.Data ?? [], _closed.Token).ConfigureAwait(false);
            await message.AckAsync(cancellationToken: _closed.Token).ConfigureAwait(false);
            return true;
        }
        catch (Exception error) when (!_closed.IsCancellationRequested)
        {
            QueueMetrics.Shared.Error("responses");
            LogHandle(message.Subject, error.Message);
            return false;
        }
    }

    /// <summary>Everything up to the acknowledged floor was handled by somebody. Fails when the consumer is gone.</summary>
    private async Task MakeRoomAsync(INatsJSConsumer consumer)
    {
        await consumer.RefreshAsync(_closed.Token).ConfigureAwait(false);
        if (consumer.Info.AckFloor.StreamSeq is > 0 and var floor && floor != _purged)
        {
            _purged = floor;
            await _connection.JetStream.PurgeStreamAsync(
                Topology.Responses, new StreamPurgeRequest { Seq = (ulong)floor + 1 }, _closed.Token).ConfigureAwait(false);
        }
    }

    [LoggerMessage(4131, LogLevel.Warning, "reading responses begins anew: {Reason}")]
    private partial void LogEnded(string reason);

    [LoggerMessage(4132, LogLevel.Warning, "{Subject} was not handled and comes again: {Reason}")]
    private partial void LogHandle(string subject, string reason);
}
