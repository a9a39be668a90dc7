using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using NATS.Client.Core;
using NATS.Client.JetStream;
using NATS.Client.KeyValueStore;

namespace Streams.Queue.Stores;

/// <summary>
/// A key-value bucket of JSON records. A conflict is a value; everything else that goes wrong is a <see cref="QueueException"/>, and
/// after it a write may or may not have
/// happened: read before writing again.
/// </summary>
internal sealed class Bucket<T>
    where T : class
{
    private const int WrongLastSequence = 10071;

    private readonly QueueConnection _connection;
    private readonly INatsKVStore _store;
    private readonly JsonTypeInfo<T> _type;

    private Bucket(QueueConnection connection, INatsKVStore store, JsonTypeInfo<T> type)
    {
        _connection = connection;
        _store = store;
        _type = type;
    }

    public static async Task<Bucket<T>> OpenAsync(QueueConnection connection, string name, JsonTypeInfo<T> type, CancellationToken cancel)
    {
        try
        {
            return new Bucket<T>(connection, await connection.KeyValue.GetStoreAsync(name, cancel).ConfigureAwait(false), type);
        }
        catch (Exception error) when (ClientFault.Is(error, cancel))
        {
            throw new QueueException(
                $"The bucket {name} cannot be opened: {ClientFault.Reason(error)} Start a worker first: it makes the buckets.", error);
        }
    }

    public async Task<DateTimeOffset> CreatedAsync(CancellationToken cancel)
    {
        try
        {
            return (await Topology.FindAsync(_connection, "KV_" + _store.Bucket, cancel).ConfigureAwait(false))?.Created
                ?? throw new QueueException($"The bucket {_store.Bucket} does not exist.");
        }
        catch (Exception error) when (ClientFault.Is(error, cancel))
        {
            throw new QueueException($"The bucket {_store.Bucket} was not looked at: {ClientFault.Reason(error)}", error);
        }
    }

    /// <summary>The record, or null; the revision of a removed key is kept, because a new record must replace exactly that
    /// removal.</summary>
    public async Task<(T? Value, ulong Revision)> GetAsync(string key, CancellationToken cancel)
    {
        var result = await AnswerAsync(
            key,
            _store.TryGetEntryAsync(key, serializer: NatsRawSerializer<byte[]>.Default, cancellationToken: cancel),
            cancel).ConfigureAwait(false);
        if (result.Success)
            return (Parse(key, result.Value.Value), result.Value.Revision);
        return result.Error switch
        {
            NatsKVKeyDeletedException deleted => (null, deleted.Revision),
            NatsKVKeyNotFoundException => (null, 0),
            var error => throw Failed(key, error),
        };
    }

    /// <summary>Writes if the key's revision is still this one (0: the key never was); the new revision, or null on a conflict.</summary>
    public async Task<ulong?> TryWriteAsync(string key, T value, ulong revision, CancellationToken cancel)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(value, _type);
        var result = await AnswerAsync(
            key, _store.TryUpdateAsync(key, json, revision, NatsRawSerializer<byte[]>.Default, cancel), cancel).ConfigureAwait(false);
        if (result.Success)
            return result.Value;
        return result.Error is NatsKVWrongLastRevisionException or NatsJSApiException { Error.ErrCode: WrongLastSequence }
            ? null
            : throw Failed(key, result.Error);
    }

    public async Task<ulong> PutAsync(string key, T value, CancellationToken cancel)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(value, _type);
        var result = await AnswerAsync(
            key, _store.TryPutAsync(key, json, NatsRawSerializer<byte[]>.Default, cancel), cancel).ConfigureAwait(false);
        return result.Success ? result.Value : throw Failed(key, result.Error);
    }

    public async Task RemoveAsync(string key, CancellationToken cancel)
    {
        var result = await AnswerAsync(key, _store.TryDeleteAsync(key, cancellationToken: cancel), cancel).ConfigureAwait(false);
        if (!result.Success)
            throw Failed(key, result.Error);
    }

    /// <summary>
    /// All records, then every change, until cancelled or until the bucket is another than at the start (then watch again);
    /// <paramref name="onCurrent"/> is called once when the records that were there have been given out. A damaged record is as one that
    /// is gone: it must not end the watch, or everything behind it, a revocation for one, would never be heard.
    /// </summary>
    public async IAsyncEnumerable<Change<T>> WatchAsync(
        Action? onCurrent, [EnumeratorCancellation] CancellationToken cancel, DateTimeOffset? since = null)
    {
        using var life = await BucketLife.StartAsync(_connection, _store.Bucket, since, cancel).ConfigureAwait(false);
        var options = new NatsKVWatchOpts
        {
            OnNoData = _ =>
            {
                onCurrent?.Invoke();
                return ValueTask.FromResult(false);
            },
        };
        var current = false;
        await foreach (var entry in _store.WatchAsync(NatsRawSerializer<byte[]>.Default, options, life.Ended).ConfigureAwait(false))
        {
            var value = entry.Operation == NatsKVOperation.Put ? ParseOrNull(entry.Value) : null;
            yield return new Change<T>(entry.Key, value, entry.Revision);
            if (!current && entry.Delta == 0)
            {
                current = true;
                onCurrent?.Invoke();
            }
        }
    }

    // The store gives what the server says as a value, but throws when the server says nothing.
    private static async ValueTask<TResult> AnswerAsync<TResult>(string key, ValueTask<TResult> call, CancellationToken cancel)
    {
        try
        {
            return await call.ConfigureAwait(false);
        }
        catch (Exception error) when (ClientFault.Is(error, cancel))
        {
            throw Failed(key, error);
        }
    }

    private static QueueException Failed(string key, Exception error) =>
        new($"The key {key} was not read or written: {ClientFault.Reason(error)}", error);

    private T? ParseOrNull(byte[]? json)
    {
        try
        {
            if (json is not null && JsonSerializer.Deserialize(json, _type) is { } value)
                return value;
        }
        catch (JsonException)
        {
            // Counted below, like an empty one.
        }

        QueueMetrics.Shared.Error("damaged_record");
        return null;
    }

    private T Parse(string key, byte[]? json)
    {
        try
        {
            return (json is null ? null : JsonSerializer.Deserialize(json, _type))
                ?? throw new QueueException($"The record {key} is empty.");
        }
        catch (JsonException error)
        {
            throw new QueueException($"The record {key} is damaged: {error.Message}", error);
        }
    }
}
