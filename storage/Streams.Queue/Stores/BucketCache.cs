using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Streams.Queue;

/// <summary>A bucket in memory, kept up to date by a watch: a look-up asks nobody. While NATS is away it knows what it knew.</summary>
public sealed class BucketCache<T> : IAsyncDisposable
    where T : class
{
    private static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(500);

    private readonly ConcurrentDictionary<string, Change<T>> _records = new(StringComparer.Ordinal);
    private readonly TaskCompletionSource _current = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _closed = new();
    private readonly Func<Action?, CancellationToken, IAsyncEnumerable<Change<T>>> _watch;
    private readonly Task _loop;

    private BucketCache(Func<Action?, CancellationToken, IAsyncEnumerable<Change<T>>> watch)
    {
        _watch = watch;
        _loop = Task.Run(RunAsync);
    }

    /// <summary>All records now, in no order.</summary>
    public IEnumerable<KeyValuePair<string, T>> All =>
        _records.Values.Where(change => change.Value is not null).Select(change => KeyValuePair.Create(change.Key, change.Value!));

    /// <summary>Reads everything and begins to watch; returns when it is current.</summary>
    /// <param name="watch">A store's WatchAsync.</param>
    /// <param name="cancel">Gives up.</param>
    public static async Task<BucketCache<T>> OpenAsync(
        Func<Action?, CancellationToken, IAsyncEnumerable<Change<T>>> watch, CancellationToken cancel = default)
    {
        var cache = new BucketCache<T>(watch);
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

    public bool TryGet(string key, [NotNullWhen(true)] out T? value)
    {
        value = _records.TryGetValue(key, out var change) ? change.Value : null;
        return value is not null;
    }

    public async ValueTask DisposeAsync()
    {
        await _closed.CancelAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task RunAsync()
    {
        while (!_closed.IsCancellationRequested)
        {
            // What a bucket that was made anew does not name any more is gone.
            var unseen = new HashSet<string>(_records.Keys, StringComparer.Ordinal);
            try
            {
                await foreach (var change in _watch(() => Settle(unseen), _closed.Token).ConfigureAwait(false))
                {
                    unseen.Remove(change.Key);
                    if (change.Value is null)
                        _records.TryRemove(change.Key, out _);
                    else
                        _records[change.Key] = change;
                }
            }
            catch (Exception) when (!_closed.IsCancellationRequested)
            {
                QueueMetrics.Shared.Error("watch");
            }

            await Task.Delay(RetryPause, _closed.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void Settle(HashSet<string> unseen)
    {
        foreach (var key in unseen)
            _records.TryRemove(key, out _);
        unseen.Clear();
        _current.TrySetResult();
    }
}
