using System.Globalization;
using System.Text;
using NATS.Client.Core;
using NATS.Client.JetStream.Models;

namespace Streams.Queue.Reading;

/// <summary>
/// A nameless consumer from one sequence on, and the subscription that its messages come to. One request is out at a time: at most so many messages and bytes are
/// under way, and the subscription is as large, so the client never has to drop one.
/// </summary>
internal sealed class PullConsumer : IAsyncDisposable
{
    private readonly QueueConnection _connection;
    private readonly string _stream;
    private readonly string _consumer;
    private readonly string _inbox;
    private readonly byte[] _request;
    private readonly INatsSub<NatsMemoryOwner<byte>> _messages;
    private uint _requests;

    private PullConsumer(
        QueueConnection connection, string stream, string consumer, string inbox, byte[] request, INatsSub<NatsMemoryOwner<byte>> messages)
    {
        _connection = connection;
        _stream = stream;
        _consumer = consumer;
        _inbox = inbox;
        _request = request;
        _messages = messages;
    }

    public System.Threading.Channels.ChannelReader<NatsMsg<NatsMemoryOwner<byte>>> Messages => _messages.Msgs;

    public static async Task<PullConsumer> OpenAsync(QueueConnection connection, string stream, ulong from, ReaderOptions options, CancellationToken cancel)
    {
        var created = await connection.JetStream.CreateConsumerAsync(
            stream,
            new ConsumerConfig
            {
                DeliverPolicy = from == 0 ? ConsumerConfigDeliverPolicy.All : ConsumerConfigDeliverPolicy.ByStartSequence,
                OptStartSeq = from,
                // What was read is in our hands: after a loss we ask again from the sequence we know.
                AckPolicy = ConsumerConfigAckPolicy.None,
                MemStorage = true,
                MaxDeliver = 1,
                InactiveThreshold = TimeSpan.FromSeconds(60),
                NumReplicas = 1,
            },
            cancel).ConfigureAwait(false);
        var inbox = connection.NewReplyPrefix();
        var messages = await connection.Nats.SubscribeCoreAsync(
            inbox + ".*",
            serializer: NatsRawSerializer<NatsMemoryOwner<byte>>.Default,
            opts: new NatsSubOpts { ChannelOpts = new NatsSubChannelOpts { Capacity = (options.PrefetchMessages * 2) + 16 } },
            cancellationToken: cancel).ConfigureAwait(false);
        return new PullConsumer(connection, stream, created.Info.Name, inbox, Request(options), messages);
    }

    /// <summary>Asks for the next messages and returns the subject under which this request's status comes.</summary>
    public async ValueTask<string> AskAsync(CancellationToken cancel)
    {
        var reply = string.Create(CultureInfo.InvariantCulture, $"{_inbox}.{++_requests}");
        await _connection.Nats.PublishAsync(
            $"$JS.API.CONSUMER.MSG.NEXT.{_stream}.{_consumer}",
            (ReadOnlyMemory<byte>)_request,
            replyTo: reply,
            serializer: NatsRawSerializer<ReadOnlyMemory<byte>>.Default,
            cancellationToken: cancel).ConfigureAwait(false);
        return reply;
    }

    /// <summary>Ends the subscription and gives back what is in it; removes the consumer if the server is there (else it goes by itself, inactive).</summary>
    public async ValueTask DisposeAsync()
    {
        await _messages.DisposeAsync().ConfigureAwait(false);
        while (_messages.Msgs.TryRead(out var message))
            message.Data.Dispose();
        if (!_connection.IsConnected)
            return;
        try
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(1));
            await _connection.JetStream.DeleteConsumerAsync(_stream, _consumer, patience.Token).ConfigureAwait(false);
        }
        catch (Exception error) when (error is NatsException or OperationCanceledException)
        {
            // Inactive for a minute, it is removed by the server.
        }
    }

    private static byte[] Request(ReaderOptions options)
    {
        const long NanosecondsPerMillisecond = 1_000_000;
        var heartbeat = (long)options.Heartbeat.TotalMilliseconds * NanosecondsPerMillisecond;
        var expires = heartbeat * 20;
        return Encoding.ASCII.GetBytes(string.Create(
            CultureInfo.InvariantCulture,
            $$"""{"batch":{{options.PrefetchMessages}},"max_bytes":{{Math.Max(options.PrefetchBytes / 2, 1 << 20)}},"expires":{{expires}},"idle_heartbeat":{{heartbeat}}}"""));
    }
}
