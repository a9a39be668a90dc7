using Streams.Queue.Stores;

namespace Streams.Queue;

/// <summary>The newest session of every agent. Its generation fences: only who wrote generation g may publish under g.</summary>
public sealed class SessionStore
{
    private readonly Bucket<SessionRecord> _bucket;

    private SessionStore(Bucket<SessionRecord> bucket) => _bucket = bucket;

    public static async Task<SessionStore> OpenAsync(QueueConnection connection, CancellationToken cancel = default) =>
        new(await Bucket<SessionRecord>.OpenAsync(
            connection, Topology.Sessions, RecordsJson.Default.SessionRecord, cancel).ConfigureAwait(false));

    /// <summary>The newest session, or null if the agent never had one.</summary>
    public async Task<Entry<SessionRecord>?> GetAsync(string agentId, CancellationToken cancel = default)
    {
        var (value, revision) = await _bucket.GetAsync(agentId, cancel).ConfigureAwait(false);
        return value is null ? null : new Entry<SessionRecord>(agentId, value, revision);
    }

    /// <summary>Writes exactly this record if the revision is still the one that was read (0: none was).</summary>
    /// <returns>Its revision; null if another gateway was quicker.</returns>
    public Task<ulong?> TryWriteAsync(string agentId, SessionRecord record, ulong revision, CancellationToken cancel = default) =>
        _bucket.TryWriteAsync(agentId, record, revision, cancel);

    /// <summary>All sessions, then every change, until cancelled. A gateway that sees a higher generation than its own ends that
    /// session.</summary>
    public IAsyncEnumerable<Change<SessionRecord>> WatchAsync(Action? onCurrent = null, CancellationToken cancel = default) =>
        _bucket.WatchAsync(onCurrent, cancel);
}
