using Streams.Local;

namespace Streams.Host.Up;

/// <summary>
/// Starts nats-server and ClickHouse anew once when a disk that was full has room again. Neither recovers by itself: nats-server (2.9.10)
/// has given JetStream up, and a table of ClickHouse (26.5) whose deduplication log could not be written refuses every later insert.
/// </summary>
internal sealed class DiskRecovery : IAsyncDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(0.5);

    private readonly DiskGuard _guard;
    private readonly Func<CancellationToken, Task> _restart;
    private readonly Action<string> _say;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _run;
    private string? _lastFailure;

    /// <param name="restart">Starts the servers anew and returns when they run.</param>
    public DiskRecovery(DiskGuard guard, Func<CancellationToken, Task> restart, Action<string> say)
    {
        _guard = guard;
        _restart = restart;
        _say = say;
        _run = Task.Run(RunAsync);
    }

    /// <summary>Why a server that hangs must not be started anew yet: without room it would hang again.</summary>
    public string? Trouble => _guard.IsLow ? "the disk is low" : null;

    /// <summary>A line that a server printed; any thread.</summary>
    public void Heard(string line)
    {
        // Of ENOSPC's text in nats-server, in ClickHouse and in what the worker was answered.
        if (line.Contains("no space left on device", StringComparison.OrdinalIgnoreCase))
        {
            _guard.Refused();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _run;
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await LookAsync();
                _lastFailure = null;
            }
            catch (Exception failure) when (!_stop.IsCancellationRequested)
            {
                if (_lastFailure != failure.Message)
                {
                    _say(_lastFailure = failure.Message);
                }
            }
            catch (OperationCanceledException)
            {
                return;
            }
            await Task.Delay(Interval, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task LookAsync()
    {
        if (_guard.Look())
        {
            _say(_guard.IsLow
                ? $"the disk is low, {_guard.Free >> 20} MiB are free: agents keep their events until there is room"
                : $"the disk has room again, {_guard.Free >> 20} MiB");
        }
        if (_guard.MustRecover())
        {
            _say("the disk was full: nats-server and ClickHouse are started anew");
            await _restart(_stop.Token);
            _guard.Recovered();
        }
    }
}
