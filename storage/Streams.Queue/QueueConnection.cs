using System.Globalization;
using System.Threading.Channels;
using NATS.Client.Core;
using NATS.Client.JetStream;
using NATS.Client.KeyValueStore;
using NATS.NKeys;

namespace Streams.Queue;

/// <summary>
/// One authenticated connection to NATS. It reconnects for ever by itself; what was asked meanwhile times out, so that nothing piles up
/// in it.
/// </summary>
public sealed class QueueConnection : IAsyncDisposable
{
    private readonly NatsConnection _nats;
    private long _timesOpened;

    private QueueConnection(NatsConnection nats, QueueOptions options)
    {
        _nats = nats;
        Options = options;
        JetStream = new NatsJSContext(nats);
        KeyValue = new NatsKVContext(JetStream);
        // Fires on the first connection too, before anybody listens here.
        nats.ConnectionOpened += (_, _) =>
        {
            Interlocked.Increment(ref _timesOpened);
            QueueMetrics.Shared.Reconnected();
            Opened?.Invoke();
            return ValueTask.CompletedTask;
        };
        nats.ConnectionDisconnected += (_, _) =>
        {
            Lost?.Invoke();
            return ValueTask.CompletedTask;
        };
    }

    /// <summary>Whether a connection stands now.</summary>
    public bool IsConnected => _nats.ConnectionState == NatsConnectionState.Open;

    /// <summary>Rises with every connection that is made: what was told between two of them was not heard.</summary>
    public long TimesOpened => Interlocked.Read(ref _timesOpened);

    public QueueOptions Options { get; }

    internal INatsConnection Nats => _nats;

    /// <summary>The role as it is in subjects.</summary>
    internal string RoleName => RoleNameOf(Options);

    internal NatsJSContext JetStream { get; }

    internal NatsKVContext KeyValue { get; }

    // Plain events, not tasks: a handler only wakes somebody.
    internal event Action? Opened;

    internal event Action? Lost;

    /// <summary>Connects and authenticates.</summary>
    /// <exception cref="QueueException">Nobody answers there, or the key is not known there.</exception>
    public static async Task<QueueConnection> OpenAsync(QueueOptions options, CancellationToken cancel = default)
    {
        var nats = new NatsConnection(ToNatsOpts(options));
        try
        {
            await nats.ConnectAsync().AsTask().WaitAsync(cancel).ConfigureAwait(false);
            return new QueueConnection(nats, options);
        }
        catch (Exception error)
        {
            await nats.DisposeAsync().ConfigureAwait(false);
            if (error is NatsException)
                throw new QueueException(
                    $"NATS at {options.Url} does not let {options.Name} in as {options.Role}: {FirstLine(Innermost(error))}", error);
            throw;
        }
    }

    /// <summary>A round trip to the server.</summary>
    public async Task<TimeSpan> PingAsync(CancellationToken cancel = default) => await _nats.PingAsync(cancel).ConfigureAwait(false);

    public ValueTask DisposeAsync() => _nats.DisposeAsync();

    /// <summary>
    /// A subject for many answers, to be subscribed with a wildcard. Not below the client's own inbox prefix: subscriptions there are
    /// matched by their whole
    /// subject (NatsConnection's inbox multiplexer, 3.3.2), a wildcard never gets anything.
    /// </summary>
    internal string NewReplyPrefix() => string.Create(CultureInfo.InvariantCulture, $"_REPLY.{RoleName}.{Guid.NewGuid():N}");

    private static string RoleNameOf(QueueOptions options) => options.Role.ToString().ToLowerInvariant();

    private static Exception Innermost(Exception error) => error.InnerException is { } inner ? Innermost(inner) : error;

    private static string FirstLine(Exception error) => error.Message.Split('\n')[0].Trim();

    private static NatsOpts ToNatsOpts(QueueOptions options)
    {
        string publicKey;
        try
        {
            using var pair = KeyPair.FromSeed(options.Seed);
            publicKey = pair.GetPublicKey();
        }
        catch (NKeysException error)
        {
            throw new QueueException($"The NATS key of {options.Name} is damaged: {error.Message}", error);
        }

        return NatsOpts.Default with
        {
            Url = options.Url.ToString(),
            Name = options.Name,
            AuthOpts = new NatsAuthOpts { NKey = publicKey, Seed = options.Seed },
            InboxPrefix = "_INBOX." + RoleNameOf(options),
            LoggerFactory = options.LoggerFactory,
            // As nats-server's own patience with a key; the client's 2 s are not enough where both cores are busy.
            ConnectTimeout = options.RequestTimeout,
            RequestTimeout = options.RequestTimeout,
            CommandTimeout = options.RequestTimeout,
            // A command waits for a connection at most CommandTimeout, else a publisher would hang for as long as the server is away.
            PublishTimeoutOnDisconnected = true,
            MaxReconnectRetry = -1,
            // A server that restarts may refuse keys for a moment; giving up for ever would need a restart of ours.
            IgnoreAuthErrorAbort = true,
            ReconnectWaitMin = TimeSpan.FromMilliseconds(50),
            ReconnectJitter = TimeSpan.FromMilliseconds(50),
            ReconnectWaitMax = options.ReconnectWaitMax,
            // Only our own subscriptions, and each is sized to what it can get (see PartitionReader, Publisher).
            SubPendingChannelFullMode = BoundedChannelFullMode.DropNewest,
        };
    }
}
