using Streams.Queue;

namespace Streams.Gateway.Sessions;

/// <summary>
/// Hears from the store of every session that begins at any gateway, and ends an older one of the same agent here: it is told, and publishes no more.
/// </summary>
internal sealed class SessionWatch : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    private readonly GatewayCore _core;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;

    public SessionWatch(GatewayCore core)
    {
        _core = core;
        _loop = Task.Run(WatchAsync);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task WatchAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            Exception? failure = null;
            try
            {
                await foreach (var change in _core.Store.WatchAsync(_core.SessionRecords.Begin, _stop.Token).ConfigureAwait(false))
                {
                    if (change.Value is { } record)
                    {
                        _core.SessionRecords.Put(new Entry<SessionRecord>(change.Key, record, change.Revision));
                        _core.Registry.GenerationBegan(change.Key, record.Generation);
                    }
                    else
                    {
                        _core.SessionRecords.Forget(change.Key);
                    }
                }
            }
            catch (Exception error) when (!_stop.IsCancellationRequested)
            {
                // Whatever it was, without the watch an older session would live on unseen: begin again.
                failure = error;
            }
            catch (OperationCanceledException)
            {
                return;
            }
            finally
            {
                _core.SessionRecords.End();
            }

            if (!_stop.IsCancellationRequested)
            {
                _core.Metrics.Error("session_watch");
                _core.Logger.SessionWatchEnded(failure);
                await Task.Delay(Pause, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }
}
