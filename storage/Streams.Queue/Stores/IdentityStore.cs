using Streams.Queue.Stores;

namespace Streams.Queue;

/// <summary>The agents' public keys. Only the operator's and the services' roles may write: a gateway lets in whom it finds here.</summary>
public sealed class IdentityStore
{
    private const int Attempts = 8;

    private readonly Bucket<IdentityRecord> _bucket;

    private IdentityStore(Bucket<IdentityRecord> bucket) => _bucket = bucket;

    public static async Task<IdentityStore> OpenAsync(QueueConnection connection, CancellationToken cancel = default) =>
        new(await Bucket<IdentityRecord>.OpenAsync(
            connection, Topology.Identities, RecordsJson.Default.IdentityRecord, cancel).ConfigureAwait(false));

    /// <summary>The identity, or null.</summary>
    public async Task<IdentityRecord?> GetAsync(string agentId, CancellationToken cancel = default) =>
        (await _bucket.GetAsync(agentId, cancel).ConfigureAwait(false)).Value;

    /// <summary>Adds or replaces an identity; its serial becomes one more than that of the one before.</summary>
    /// <exception cref="ArgumentException">Not an agent id.</exception>
    public Task PutAsync(string agentId, IdentityRecord record, CancellationToken cancel = default) =>
        ChangeAsync(agentId, _ => record, cancel);

    /// <summary>
    /// Changes an identity by compare-and-set; <paramref name="change"/> gets what is there (null: nothing), may be called again, and
    /// gives null to leave it so. The serial is set here: one more with each change, so that of two records of an agent the newer is known.
    /// </summary>
    /// <returns>The record that is there now, and whether this call wrote it.</returns>
    /// <exception cref="ArgumentException">Not an agent id.</exception>
    /// <exception cref="QueueException">No answer, or others changed it again and again.</exception>
    public async Task<(IdentityRecord? Record, bool Changed)> ChangeAsync(
        string agentId, Func<IdentityRecord?, IdentityRecord?> change, CancellationToken cancel = default)
    {
        if (!Subjects.IsAgentId(agentId))
            throw new ArgumentException("Not an agent id.", nameof(agentId));
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            var (last, revision) = await _bucket.GetAsync(agentId, cancel).ConfigureAwait(false);
            if (change(last) is not { } next)
                return (last, false);
            next = next with { Serial = Math.Max((last?.Serial ?? 0) + 1, next.Serial) };
            if (await _bucket.TryWriteAsync(agentId, next, revision, cancel).ConfigureAwait(false) is not null)
                return (next, true);
        }

        throw new QueueException($"The identity of {agentId} was changed by others {Attempts} times in a row.");
    }

    /// <summary>When the bucket was made: what it does not have may have been in one before it.</summary>
    /// <exception cref="QueueException">There is none, or no answer.</exception>
    public Task<DateTimeOffset> CreatedAsync(CancellationToken cancel = default) => _bucket.CreatedAsync(cancel);

    /// <summary>Removes an identity.</summary>
    public Task RemoveAsync(string agentId, CancellationToken cancel = default) => _bucket.RemoveAsync(agentId, cancel);

    /// <summary>All identities, then every change, until cancelled.</summary>
    public IAsyncEnumerable<Change<IdentityRecord>> WatchAsync(Action? onCurrent = null, CancellationToken cancel = default) =>
        _bucket.WatchAsync(onCurrent, cancel);

    /// <summary>The same of the bucket that was made at that time: ends within seconds when it is another by now.</summary>
    public IAsyncEnumerable<Change<IdentityRecord>> WatchAsync(DateTimeOffset created, CancellationToken cancel = default) =>
        _bucket.WatchAsync(null, cancel, created);
}
