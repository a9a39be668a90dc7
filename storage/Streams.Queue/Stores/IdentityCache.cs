using System.Collections.Concurrent;

namespace Streams.Queue;

/// <summary>The identities in memory, kept up to date by a watch: a handshake asks nobody. While NATS is away it knows what it
/// knew.</summary>
public sealed class IdentityCache : IAsyncDisposable
{
    private static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(500);

    private readonly ConcurrentDictionary<string, IdentityRecord> _identities = new(StringComparer.Ordinal);
    private readonly TaskCompletionSource _current = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _closed = new();
    private readonly IdentityStore _store;
    private readonly Task _loop;

    private readonly Action<string, IdentityRecord?>? _changed;

    private IdentityCache(IdentityStore store, Action<string, IdentityRecord?>? changed)
    {
        _store = store;
        _changed = changed;
        _loop = Task.Run(WatchAsync);
    }

    public int Count => _identities.Count;

    /// <summary>Reads all identities and begins to watch; returns when it is current.</summary>
    /// <param name="store">Where they are.</param>
    /// <param name="cancel">Gives up.</param>
    /// <param name="changed">Called for every identity that was read or changed, once it is known here; null: it was removed. Must be quick;
    /// what it throws begins the watch again.</param>
    public static async Task<IdentityCache> OpenAsync(
        IdentityStore store, CancellationToken cancel = default, Action<string, IdentityRecord?>? changed = null)
    {
        var cache = new IdentityCache(store, changed);
        try
        {
            await cache._current.Task.WaitAsync(cancel).ConfigureAwait(false);
            return cache;
        }
        catch
        {
            await cache.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>The agent's identity.</summary>
    public bool TryGet(string agentId, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out IdentityRecord? identity) =>
        _identities.TryGetValue(agentId, out identity);

    public async ValueTask DisposeAsync()
    {
        await _closed.CancelAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task WatchAsync()
    {
        while (!_closed.IsCancellationRequested)
        {
            try
            {
                await foreach (var change in _store.WatchAsync(() => _current.TrySetResult(), _closed.Token).ConfigureAwait(false))
                    Apply(change);
            }
            catch (Exception) when (!_closed.IsCancellationRequested)
            {
                QueueMetrics.Shared.Error("watch");
            }

            await Task.Delay(RetryPause, _closed.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void Apply(Change<IdentityRecord> change)
    {
        if (change.Value is { } identity)
            _identities[change.Key] = identity;
        else
            _identities.TryRemove(change.Key, out _);
        _changed?.Invoke(change.Key, change.Value);
    }
}
