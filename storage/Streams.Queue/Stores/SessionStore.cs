using Streams.Queue.Stores;

namespace Streams.Queue;

/// <summary>The newest session of every agent. Its generation fences: only who wrote generation g may publish under g.</summary>
public sealed class SessionStore
{
    // Each lost race means that another gateway advanced; more than a few in a row is an agent that connects everywhere at once.
    private const int Attempts = 5;

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
    /// <returns>False if another gateway was quicker.</returns>
    public async Task<bool> TryWriteAsync(string agentId, SessionRecord record, ulong revision, CancellationToken cancel = default) =>
        await _bucket.TryWriteAsync(agentId, record, revision, cancel).ConfigureAwait(false) is not null;

    /// <summary>Takes the next generation for a new session, which replaces the record's own.</summary>
    /// <exception cref="QueueException">The store cannot be reached, or others took the generation again and again: admit no
    /// session.</exception>
    public async Task<SessionRecord> AdvanceAsync(string agentId, SessionRecord record, CancellationToken cancel = default)
    {
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            var (last, revision) = await _bucket.GetAsync(agentId, cancel).ConfigureAwait(false);
            var next = record with { Generation = SessionRecord.NextGeneration(last, DateTimeOffset.UtcNow) };
            if (await _bucket.TryWriteAsync(agentId, next, revision, cancel).ConfigureAwait(false) is not null)
                return next;
        }

        throw new QueueException($"The session of {agentId} was taken by others {Attempts} times in a row.");
    }

    /// <summary>All sessions, then every change, until cancelled. A gateway that sees a higher generation than its own ends that
    /// session.</summary>
    public IAsyncEnumerable<Change<SessionRecord>> WatchAsync(Action? onCurrent = null, CancellationToken cancel = default) =>
        _bucket.WatchAsync(onCurrent, cancel);
}
