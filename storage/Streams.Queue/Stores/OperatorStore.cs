using Streams.Queue.Stores;

namespace Streams.Queue;

/// <summary>The operators' tokens, without their secrets.</summary>
public sealed class OperatorStore
{
    private readonly Bucket<OperatorRecord> _bucket;

    private OperatorStore(Bucket<OperatorRecord> bucket) => _bucket = bucket;

    public static async Task<OperatorStore> OpenAsync(QueueConnection connection, CancellationToken cancel = default) =>
        new(await Bucket<OperatorRecord>.OpenAsync(
            connection, Topology.Operators, RecordsJson.Default.OperatorRecord, cancel).ConfigureAwait(false));

    /// <summary>The token and its revision, or null.</summary>
    public async Task<Entry<OperatorRecord>?> GetAsync(string tokenId, CancellationToken cancel = default)
    {
        var (value, revision) = await _bucket.GetAsync(tokenId, cancel).ConfigureAwait(false);
        return value is null ? null : new Entry<OperatorRecord>(tokenId, value, revision);
    }

    /// <summary>Writes if the revision is still the one that was read; 0: the token is new.</summary>
    public async Task<bool> TryWriteAsync(string tokenId, OperatorRecord record, ulong revision, CancellationToken cancel = default) =>
        await _bucket.TryWriteAsync(tokenId, record, revision, cancel).ConfigureAwait(false) is not null;

    /// <summary>All tokens, then every change, until cancelled.</summary>
    public IAsyncEnumerable<Change<OperatorRecord>> WatchAsync(Action? onCurrent = null, CancellationToken cancel = default) =>
        _bucket.WatchAsync(onCurrent, cancel);
}
