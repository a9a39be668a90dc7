namespace Streams.Bench.Running;

/// <summary>Samples a process's resident memory twice a second and keeps the last ten seconds.</summary>
internal sealed class MemorySampler : IAsyncDisposable
{
    private const int Window = 20;
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    private readonly int _pid;
    private readonly long[] _samples = new long[Window];
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;
    private int _count;

    public MemorySampler(int pid)
    {
        _pid = pid;
        _loop = RunAsync();
    }

    /// <summary>Waits until the window is full, then gives the median resident size of the last ten seconds and the peak since start.</summary>
    public async Task<(long Median, long Peak)> ReadAsync(CancellationToken stop)
    {
        while (Volatile.Read(ref _count) < Window)
        {
            if (_loop.IsFaulted)
            {
                await _loop;
            }
            await Task.Delay(Interval, stop);
        }
        var sorted = _samples.ToArray();
        Array.Sort(sorted);
        return (sorted[Window / 2], ProcessMemory.PeakResident(_pid));
    }

    /// <summary>Ends the sampling; the process may go now. May be called again.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_loop.IsCompleted)
        {
            return;
        }
        await _stop.CancelAsync();
        await _loop.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            _samples[_count % Window] = ProcessMemory.Resident(_pid);
            Volatile.Write(ref _count, _count + 1);
            await Task.Delay(Interval, _stop.Token);
        }
    }
}
