using Streams.Queue;
using Streams.Services.Http;

namespace Streams.Services.Operators;

/// <summary>Who may connect and which session each had last, in memory.</summary>
public sealed class AgentDirectory : IAsyncDisposable
{
    private readonly BucketCache<IdentityRecord> _identities;
    private readonly BucketCache<SessionRecord> _sessions;

    private AgentDirectory(BucketCache<IdentityRecord> identities, BucketCache<SessionRecord> sessions)
    {
        _identities = identities;
        _sessions = sessions;
    }

    /// <param name="queue">Of the services' role; not owned.</param>
    public static async Task<AgentDirectory> OpenAsync(QueueConnection queue, CancellationToken cancel = default)
    {
        var identities = await IdentityStore.OpenAsync(queue, cancel).ConfigureAwait(false);
        var sessions = await SessionStore.OpenAsync(queue, cancel).ConfigureAwait(false);
        var known = await BucketCache<IdentityRecord>.OpenAsync(identities.WatchAsync, cancel).ConfigureAwait(false);
        try
        {
            return new AgentDirectory(known, await BucketCache<SessionRecord>.OpenAsync(sessions.WatchAsync, cancel).ConfigureAwait(false));
        }
        catch
        {
            await known.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>All agents by name.</summary>
    /// <param name="waiting">How many commands wait for an agent.</param>
    public IEnumerable<AgentAnswer> List(Func<string, int> waiting) => _identities.All.OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry =>
        new AgentAnswer(
            entry.Key, entry.Value.Host, entry.Value.State, waiting(entry.Key),
            _sessions.TryGet(entry.Key, out var session)
                ? new SessionAnswer(session.Gateway, session.ConnectedAt, session.Address, session.Generation) : null));

    public async ValueTask DisposeAsync()
    {
        await _identities.DisposeAsync().ConfigureAwait(false);
        await _sessions.DisposeAsync().ConfigureAwait(false);
    }
}
