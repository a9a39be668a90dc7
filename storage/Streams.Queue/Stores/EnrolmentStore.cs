using Streams.Queue.Stores;

namespace Streams.Queue;

/// <summary>Enrolment tokens, without their secrets.</summary>
public sealed class EnrolmentStore
{
    private readonly Bucket<EnrolmentRecord> _bucket;

    private EnrolmentStore(Bucket<EnrolmentRecord> bucket) => _bucket = bucket;

    public static async Task<EnrolmentStore> OpenAsync(QueueConnection connection, CancellationToken cancel = default) =>
        new(await Bucket<EnrolmentRecord>.OpenAsync(
            connection, Topology.Enrolment, RecordsJson.Default.EnrolmentRecord, cancel).ConfigureAwait(false));

    /// <summary>The token and its revision, or null.</summary>
    public async Task<Entry<EnrolmentRecord>?> GetAsync(string tokenId, CancellationToken cancel = default)
    {
        var (value, revision) = await _bucket.GetAsync(tokenId, cancel).ConfigureAwait(false);
        return value is null ? null : new Entry<EnrolmentRecord>(tokenId, value, revision);
    }

    /// <summary>Writes if the revision is still the one that was read; 0: the token is new.</summary>
    public async Task<bool> TryWriteAsync(string tokenId, EnrolmentRecord record, ulong revision, CancellationToken cancel = default) =>
        await _bucket.TryWriteAsync(tokenId, record, revision, cancel).ConfigureAwait(false) is not null;

    public Task RemoveAsync(string tokenId, CancellationToken cancel = default) => _bucket.RemoveAsync(tokenId, cancel);

    /// <summary>All tokens, then every change, until cancelled.</summary>
    public IAsyncEnumerable<Change<EnrolmentRecord>> WatchAsync(Action? onCurrent = null, CancellationToken cancel = default) =>
        _bucket.WatchAsync(onCurrent, cancel);
}
