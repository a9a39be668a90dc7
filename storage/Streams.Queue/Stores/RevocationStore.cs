using Streams.Queue.Stores;

namespace Streams.Queue;

/// <summary>What fleet roots say to all agents: which gateway certificates are revoked, and which root comes next.</summary>
public sealed class RevocationStore
{
    /// <summary>Key of the newest list of revoked serials.</summary>
    public const string List = "list";

    /// <summary>Key of the newest root's statement about its successor.</summary>
    public const string Succession = "succession";

    private readonly Bucket<RevocationRecord> _bucket;

    private RevocationStore(Bucket<RevocationRecord> bucket) => _bucket = bucket;

    public static async Task<RevocationStore> OpenAsync(QueueConnection connection, CancellationToken cancel = default) =>
        new(await Bucket<RevocationRecord>.OpenAsync(
            connection, Topology.Revocations, RecordsJson.Default.RevocationRecord, cancel).ConfigureAwait(false));

    public async Task<RevocationRecord?> GetAsync(string key, CancellationToken cancel = default) =>
        (await _bucket.GetAsync(key, cancel).ConfigureAwait(false)).Value;

    /// <summary>Puts a statement in the place of an older one. False: what is there is as new.</summary>
    public async Task<bool> TryPutAsync(string key, RevocationRecord record, CancellationToken cancel = default)
    {
        while (true)
        {
            var (last, revision) = await _bucket.GetAsync(key, cancel).ConfigureAwait(false);
            if (last is not null && last.Version >= record.Version)
                return false;
            if (await _bucket.TryWriteAsync(key, record, revision, cancel).ConfigureAwait(false) is not null)
                return true;
        }
    }

    /// <summary>All statements, then every change, until cancelled.</summary>
    public IAsyncEnumerable<Change<RevocationRecord>> WatchAsync(Action? onCurrent = null, CancellationToken cancel = default) =>
        _bucket.WatchAsync(onCurrent, cancel);
}
