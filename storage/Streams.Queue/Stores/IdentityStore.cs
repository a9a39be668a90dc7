using Streams.Queue.Stores;

namespace Streams.Queue;

/// <summary>The agents' public keys. Only the operator's role may write.</summary>
public sealed class IdentityStore
{
    private readonly Bucket<IdentityRecord> _bucket;

    private IdentityStore(Bucket<IdentityRecord> bucket) => _bucket = bucket;

    public static async Task<IdentityStore> OpenAsync(QueueConnection connection, CancellationToken cancel = default) =>
        new(await Bucket<IdentityRecord>.OpenAsync(
            connection, Topology.Identities, RecordsJson.Default.IdentityRecord, cancel).ConfigureAwait(false));

    /// <summary>The identity, or null.</summary>
    public async Task<IdentityRecord?> GetAsync(string agentId, CancellationToken cancel = default) =>
        (await _bucket.GetAsync(agentId, cancel).ConfigureAwait(false)).Value;

    /// <summary>Adds or replaces an identity.</summary>
    /// <exception cref="ArgumentException">Not an agent id.</exception>
    public Task PutAsync(string agentId, IdentityRecord record, CancellationToken cancel = default)
    {
        if (!Subjects.IsAgentId(agentId))
            throw new ArgumentException("Not an agent id.", nameof(agentId));
        return _bucket.PutAsync(agentId, record, cancel);
    }

    /// <summary>Removes an identity.</summary>
    public Task RemoveAsync(string agentId, CancellationToken cancel = default) => _bucket.RemoveAsync(agentId, cancel);

    /// <summary>All identities, then every change, until cancelled.</summary>
    public IAsyncEnumerable<Change<IdentityRecord>> WatchAsync(Action? onCurrent = null, CancellationToken cancel = default) =>
        _bucket.WatchAsync(onCurrent, cancel);
}
