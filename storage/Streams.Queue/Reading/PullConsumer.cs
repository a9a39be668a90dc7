using System.Globalization;
using System.Text;
using NATS.Client.Core;
using NATS.Client.JetStream.Models;

namespace Streams.Queue.Reading;

/// <summary>
/// A nameless consumer from one sequence on, and the subscription that its messages come to. At most two requests are out, each for so
/// many messages and bytes; the
/// subscription holds as many messages, so the client never has to drop one. The server answers requests in order, but a message does
/// not say which
/// one it answers: so they are counted off from the oldest, and a status (which names its request) sets the count right.
/// </summary>
internal sealed class PullConsumer : IAsyncDisposable
{
    private readonly QueueConnection _connection;
    private readonly string _stream;
    private readonly string _consumer;
    private readonly string _inbox;
    private readonly byte[] _request;
    private readonly INatsSub<NatsMemoryOwner<byte>> _messages;
    private readonly Queue<string> _requests = new(2);
    private readonly int _perRequest;
    private int _leftOfOldest;
    private uint _asked;

    private PullConsumer(
        QueueConnection connection,
        string stream,
        string consumer,
        string inbox,
        byte[] request,
        int perRequest,
        INatsSub<NatsMemoryOwner<byte>> messages)
    {
        _perRequest = perRequest;
        _connection = connection;
        _stream = stream;
        _consumer = consumer;
        _inbox = inbox;
        _request = request;
        _messages = messages;
    }

    public System.Threading.Channels.ChannelReader<NatsMsg<NatsMemoryOwner<byte>>> Messages => _messages.Msgs;

    public static async Task<PullConsumer> OpenAsync(
        QueueConnection connection, string stream, ulong from, ReaderOptions options, CancellationToken cancel)
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
        return new PullConsumer(connection, stream, created.Info.Name, inbox, Request(options), options.PrefetchMessages, messages);
    }

    /// <summary>Requests without their end.</summary>
    public int Outstanding => _requests.Count;

    /// <summary>Whether another request should go out now: none is out, or half of the only one is answered.</summary>
    public bool WantsRequest => _requests.Count == 0 || (_requests.Count == 1 && _leftOfOldest <= _perRequest / 2);

    /// <summary>Asks for the next messages.</summary>
    public async ValueTask AskAsync(CancellationToken cancel)
    {
        var reply = string.Create(CultureInfo.InvariantCulture, $"{_inbox}.{++_asked}");
        if (_requests.Count == 0)
            _leftOfOldest = _perRequest;
        _requests.Enqueue(reply);
        await _connection.Nats.PublishAsync(
            $"$JS.API.CONSUMER.MSG.NEXT.{_stream}.{_consumer}",
            (ReadOnlyMemory<byte>)_request,
            replyTo: reply,
            serializer: NatsRawSerializer<ReadOnlyMemory<byte>>.Default,
            cancellationToken: cancel).ConfigureAwait(false);
    }

    /// <summary>Counts one delivered message.</summary>
    public void Count()
    {
        if (_requests.Count > 0 && --_leftOfOldest == 0)
            EndOldest();
    }

    /// <summary>
    /// Takes a status: 100 is a heartbeat; 408 (expired) and 409 (size reached) end the request that the subject names, and those before
    /// it. False for
    /// everything else: the consumer is deleted, or nobody is there (503).
    /// </summary>
    public bool TryEndRequest(string subject, NatsHeaders? headers)
    {
        switch (headers?.Code)
        {
            case 100:
                return true;
            case 408:
            case 409 when headers.MessageText?.Contains("Consumer", StringComparison.OrdinalIgnoreCase) != true:
                // A status that came late, of a request counted off already, ends nothing.
                while (_requests.Contains(subject))
                    EndOldest();
                return true;
            default:
                return false;
        }
    }

    private void EndOldest()
    {
        _requests.Dequeue();
        _leftOfOldest = _perRequest;
    }

    /// <summary>Ends the subscription and gives back what is in it; removes the consumer if the server is there (else it goes by itself,
    /// inactive).</summary>
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
        var bytes = Math.Max(options.PrefetchBytes / 4, 1 << 20);
        return Encoding.ASCII.GetBytes(string.Create(
            CultureInfo.InvariantCulture,
            $$"""{"batch":{{options.PrefetchMessages}},"max_bytes":{{bytes}},"expires":{{expires}},"idle_heartbeat":{{heartbeat}}}"""));
    }
}
