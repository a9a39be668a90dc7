namespace Streams.Worker.Recovery;

/// <summary>
/// A read that all who ask at the same time share. Who asks while one runs gets the next: what it waited for before asking (its KILL) may
/// have ended after the running one looked.
/// </summary>
internal sealed class SharedRead<T>(Func<Task<T>> read, TimeSpan gather)
{
    private readonly Lock _gate = new();
    private Task<T>? _next;
    private Task _running = Task.CompletedTask;

    /// <summary>The result of a read that begins after this call.</summary>
    public Task<T> JoinAsync(CancellationToken cancel)
    {
        lock (_gate)
        {
            _next ??= BeginAsync(_running);
            return _next.WaitAsync(cancel);
        }
    }

    private async Task<T> BeginAsync(Task before)
    {
        // The partitions of a process come within milliseconds of each other.
        await Task.Delay(gather).ConfigureAwait(false);
        // Our caller holds the lock: whatever completed at once, _next is set when we get it.
        await Task.Yield();
        await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (_gate)
        {
            _running = _next!;
            _next = null;
        }

        return await read().ConfigureAwait(false);
    }
}
