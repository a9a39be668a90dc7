using System.Globalization;
using NATS.Client.JetStream;
using NATS.Client.JetStream.Models;
using NATS.Client.KeyValueStore;

namespace Streams.Queue;

/// <summary>
/// Makes and checks the streams and buckets. Idempotent, safe to run from several processes at once. P is stored in the streams'
/// descriptions (nats-server 2.9 has no stream
/// metadata), so that a second start with another P is refused and not half done.
/// </summary>
public static class Topology
{
    public const string Sessions = "sessions";
    public const string Identities = "identities";
    public const string Leases = "leases";
    public const string Offsets = "offsets";
    public const string Enrolment = "enrolment";
    public const string Operators = "operators";
    public const string Revocations = "revocations";

    /// <summary>Where commands stand; not the stream of those that wait.</summary>
    public const string CommandStates = "commands";

    /// <summary>Commands that wait for their agents, a subject an agent.</summary>
    public const string Commands = "COMMANDS";

    /// <summary>What agents answered, until the services role has read it.</summary>
    public const string Responses = "RESPONSES";

    /// <summary>Commands that may wait for one agent; a further one is refused to whoever gives it.</summary>
    public const int CommandsPerAgent = 64;

    private const int StreamNotFound = 10059;
    private const int NoJetStream = 10039;
    private const int NoStorage = 10047;

    /// <summary>Creates what is missing, checks what is there. Needs the worker's role.</summary>
    /// <exception cref="QueueException">Another P, other settings that matter, no room, or no JetStream.</exception>
    public static async Task CreateAsync(QueueConnection connection, TopologyOptions options, CancellationToken cancel = default)
    {
        if (options.Partitions is < 1 or > Subjects.MaxPartitions)
            throw new QueueException($"The number of partitions must be from 1 to {Subjects.MaxPartitions}, not {options.Partitions}.");
        try
        {
            for (var partition = 0; partition < options.Partitions; partition++)
                await EnsureStreamAsync(connection, partition, options, cancel).ConfigureAwait(false);
            await EnsureBucketAsync(connection, Sessions, options.SessionsBytes, cancel).ConfigureAwait(false);
            await EnsureBucketAsync(connection, Identities, options.IdentitiesBytes, cancel).ConfigureAwait(false);
            await EnsureBucketAsync(connection, Leases, options.SmallBucketBytes, cancel).ConfigureAwait(false);
            await EnsureBucketAsync(connection, Offsets, options.SmallBucketBytes, cancel).ConfigureAwait(false);
            await EnsureBucketAsync(connection, Enrolment, options.EnrolmentBytes, cancel).ConfigureAwait(false);
            await EnsureBucketAsync(connection, Operators, options.SmallBucketBytes, cancel).ConfigureAwait(false);
            await EnsureBucketAsync(connection, Revocations, options.SmallBucketBytes, cancel).ConfigureAwait(false);
            await EnsureBucketAsync(connection, CommandStates, options.CommandStatesBytes, cancel, options.CommandStatesAge).ConfigureAwait(false);
            await EnsureControlAsync(connection, CommandsStream(options), cancel).ConfigureAwait(false);
            await EnsureControlAsync(connection, ResponsesStream(options), cancel).ConfigureAwait(false);
        }
        catch (Exception error) when (ClientFault.Is(error, cancel))
        {
            throw Explain(error);
        }
    }

    /// <summary>Checks that the ingest streams are there and made for P partitions; for roles that may only look.</summary>
    /// <exception cref="QueueException">They are not.</exception>
    public static async Task CheckAsync(QueueConnection connection, int partitions, CancellationToken cancel = default)
    {
        try
        {
            for (var partition = 0; partition < partitions; partition++)
            {
                var info = await FindAsync(connection, Subjects.Stream(partition), cancel).ConfigureAwait(false)
                    ?? throw new QueueException(
                        $"The stream {Subjects.Stream(partition)} does not exist yet. Start a worker: it makes the streams.");
                Check(info.Config, partition, partitions);
            }
        }
        catch (Exception error) when (ClientFault.Is(error, cancel))
        {
            throw Explain(error);
        }
    }

    /// <summary>When the oldest message that still waits in any ingest stream was published; null when none waits.</summary>
    /// <exception cref="QueueException">The server refused or did not answer.</exception>
    public static async Task<DateTimeOffset?> OldestMessageAsync(
        QueueConnection connection, int partitions, CancellationToken cancel = default)
    {
        DateTimeOffset? oldest = null;
        try
        {
            for (var partition = 0; partition < partitions; partition++)
            {
                var info = await FindAsync(connection, Subjects.Stream(partition), cancel).ConfigureAwait(false);
                if (info is not { State: { Messages: > 0, FirstTs: { } published } })
                    continue;
                var first = DateTimeOffset.Parse(published, CultureInfo.InvariantCulture);
                oldest = oldest is null || first < oldest ? first : oldest;
            }
        }
        catch (Exception error) when (ClientFault.Is(error, cancel))
        {
            throw new QueueException($"The age of the queue is not known: {ClientFault.Reason(error)}", error);
        }

        return oldest;
    }

    internal static async Task<StreamInfo?> FindAsync(QueueConnection connection, string stream, CancellationToken cancel)
    {
        // The client (3.3.2) has been seen to wait on for an answer that went with a connection.
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        patience.CancelAfter(connection.Options.RequestTimeout);
        try
        {
            return (await connection.JetStream.GetStreamAsync(stream, cancellationToken: patience.Token).ConfigureAwait(false)).Info;
        }
        catch (NatsJSApiException error) when (error.Error.ErrCode == StreamNotFound)
        {
            return null;
        }
    }

    private static async Task EnsureStreamAsync(
        QueueConnection connection, int partition, TopologyOptions options, CancellationToken cancel)
    {
        var found = await FindAsync(connection, Subjects.Stream(partition), cancel).ConfigureAwait(false);
        if (found is not null)
        {
            Check(found.Config, partition, options.Partitions);
            return;
        }

        await connection.JetStream.CreateStreamAsync(
            new StreamConfig(Subjects.Stream(partition), [.. Subjects.AllOf(partition)])
            {
                Description = Describe(partition, options.Partitions),
                Storage = StreamConfigStorage.File,
                Retention = StreamConfigRetention.Limits,
                Discard = StreamConfigDiscard.New,
                MaxBytes = options.IngestBytes,
                MaxMsgs = -1,
                MaxMsgsPerSubject = -1,
                MaxAge = TimeSpan.Zero,
                DuplicateWindow = options.DuplicateWindow,
                NumReplicas = 1,
                AllowDirect = true,
            },
            cancel).ConfigureAwait(false);
    }

    // Who has read a message removes it; what nobody reads is never dropped for another.
    private static StreamConfig CommandsStream(TopologyOptions options) => new(Commands, [Subjects.Command("*")])
    {
        Description = "Streams commands",
        Storage = StreamConfigStorage.File,
        Retention = StreamConfigRetention.Limits,
        Discard = StreamConfigDiscard.New,
        DiscardNewPerSubject = true,
        MaxMsgsPerSubject = CommandsPerAgent,
        MaxBytes = options.CommandsBytes,
        MaxMsgs = -1,
        MaxAge = TimeSpan.Zero,
        DuplicateWindow = options.DuplicateWindow,
        NumReplicas = 1,
        AllowDirect = true,
    };

    private static StreamConfig ResponsesStream(TopologyOptions options) => new(Responses, [Subjects.Response("*")])
    {
        Description = "Streams responses",
        Storage = StreamConfigStorage.File,
        Retention = StreamConfigRetention.Limits,
        Discard = StreamConfigDiscard.New,
        MaxBytes = options.ResponsesBytes,
        MaxMsgs = -1,
        MaxMsgsPerSubject = -1,
        MaxAge = TimeSpan.Zero,
        DuplicateWindow = options.DuplicateWindow,
        NumReplicas = 1,
        AllowDirect = true,
    };

    private static async Task EnsureControlAsync(QueueConnection connection, StreamConfig config, CancellationToken cancel)
    {
        if (await FindAsync(connection, config.Name!, cancel).ConfigureAwait(false) is not { } found)
        {
            await connection.JetStream.CreateStreamAsync(config, cancel).ConfigureAwait(false);
            return;
        }

        if (found.Config.Discard != StreamConfigDiscard.New || found.Config.MaxBytes <= 0 || found.Config.MaxAge != TimeSpan.Zero)
        {
            throw new QueueException(
                $"The stream {config.Name} would drop messages that nobody has read (it needs discard new, max_bytes and no age). "
                + "Correct it, or delete it.");
        }
    }

    private static async Task EnsureBucketAsync(
        QueueConnection connection, string bucket, long bytes, CancellationToken cancel, TimeSpan age = default)
    {
        if (await FindAsync(connection, "KV_" + bucket, cancel).ConfigureAwait(false) is not null)
            return;
        await connection.KeyValue.CreateStoreAsync(
            new NatsKVConfig(bucket) { History = 1, MaxBytes = bytes, MaxAge = age, Storage = NatsKVStorageType.File, NumberOfReplicas = 1 },
            cancel).ConfigureAwait(false);
    }

    private static string Describe(int partition, int partitions) =>
        string.Create(CultureInfo.InvariantCulture, $"Streams ingest, partition {partition} of {partitions}");

    // Only what correctness rests on: a changed quota or window is the operator's right.
    private static void Check(StreamConfig config, int partition, int partitions)
    {
        if (config.Description != Describe(partition, partitions))
        {
            throw new QueueException(
                $"The stream {config.Name} was made as \"{config.Description}\", this program is set to {partitions} partitions. "
                + "The number is fixed when the queue is made: set it back, or drain the queue and delete its streams.");
        }

        if (!Subjects.AllOf(partition).All(subject => config.Subjects?.Contains(subject) == true))
        {
            throw new QueueException(
                $"The stream {config.Name} listens to {string.Join(", ", config.Subjects ?? [])}, expected is {string.Join(", ", Subjects.AllOf(partition))}: "
                + "it is of another version. Drain the queue and delete its streams.");
        }

        if (config.Retention != StreamConfigRetention.Limits || config.Discard != StreamConfigDiscard.New || config.MaxAge != TimeSpan.Zero
            || config.MaxMsgs > 0 || config.MaxMsgsPerSubject > 0 || config.MaxBytes <= 0)
        {
            throw new QueueException(
                $"The stream {config.Name} would drop messages that nobody has read (it needs limits retention, discard new, "
                + "max_bytes, and no other limit). Correct it, or drain and delete it.");
        }
    }

    private static QueueException Explain(Exception error) => error switch
    {
        NatsJSApiException { Error.ErrCode: NoStorage } =>
            new QueueException("The queue's quotas exceed the server's max_file_store; make it larger or the quotas smaller.", error),
        NatsJSApiException { Error.ErrCode: NoJetStream } =>
            new QueueException("nats-server runs without JetStream; start it with -js or a jetstream block.", error),
        NatsJSApiException api =>
            new QueueException($"nats-server refused the queue's set-up: {api.Error.Description} ({api.Error.ErrCode}).", error),
        _ => new QueueException($"The queue could not be set up: {ClientFault.Reason(error)}", error),
    };
}
