namespace Streams.Local.Supervision;

/// <summary>One child, started again whenever it ends or hangs, until it is stopped.</summary>
internal sealed class SupervisedChild(
    ChildSpecification specification,
    IReadOnlyList<SupervisedChild> needs,
    Action changed,
    Func<string?> hold,
    Action<string> say,
    TimeProvider time)
{
    // A dependency that comes up is seen within that time.
    private static readonly TimeSpan NeedInterval = TimeSpan.FromMilliseconds(100);

    // Who is restarted is not well: nats-server after a full disk does not obey SIGTERM at all (2.9.10). All children survive SIGKILL.
    private static readonly TimeSpan AilingStop = TimeSpan.FromSeconds(3);

    // A server that takes longer is still on its way; whoever waits for the order goes on.
    private static readonly TimeSpan RestartPatience = TimeSpan.FromMinutes(1);

    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _firstRun = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly RestartBackoff _backoff = new();
    private ChildProcess? _process;
    private Task<ChildExit?>? _life;
    private string? _restartReason;

    public ChildStatus Status { get; private set; } =
        new() { Name = specification.Name, State = ChildState.Waiting, Since = time.GetUtcNow() };

    /// <summary>Starts it the first time; from then on it is kept alive.</summary>
    /// <exception cref="LocalException">The first start failed: whoever typed the command is there to read why.</exception>
    public Task StartAsync()
    {
        _life = Task.Run(LiveAsync);
        return _firstRun.Task;
    }

    /// <summary>How it ended; null if it did not run.</summary>
    public async Task<ChildExit?> StopAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        var exit = _life is null ? null : await _life.ConfigureAwait(false);
        return exit;
    }

    private async Task<ChildExit?> LiveAsync()
    {
        try
        {
            while (true)
            {
                var wait = await LiveOnceAsync().ConfigureAwait(false);
                await Task.Delay(wait, time, _stop.Token).ConfigureAwait(false);
                await WaitForNeedsAsync().ConfigureAwait(false);
                Status = Status with { Restarts = Status.Restarts + 1 };
            }
        }
        catch (Exception end)
        {
            // Only a stop or a first start that failed gets here: LiveOnceAsync keeps everything else to itself.
            _firstRun.TrySetException(end);
            return await EndAsync().ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Ends the process and thereby has it started again; returns when it runs again, at the latest after
    /// <see cref="RestartPatience"/>. One that does not run is on its way already.
    /// </summary>
    public async Task RestartAsync(string why, CancellationToken cancel)
    {
        if (Status.State != ChildState.Running || _process is not { } process)
            return;
        var restarts = Status.Restarts;
        _restartReason = why;
        await process.StopAsync(AilingStop).ConfigureAwait(false);
        var began = time.GetTimestamp();
        while ((Status.Restarts == restarts || Status.State != ChildState.Running) && time.GetElapsedTime(began) < RestartPatience)
            await Task.Delay(NeedInterval, time, cancel).ConfigureAwait(false);
    }

    /// <summary>From a start to the end; how long to wait before the next.</summary>
    private async Task<TimeSpan> LiveOnceAsync()
    {
        Show(Status with { State = ChildState.Starting, Pid = null, Ailment = null });
        var started = time.GetTimestamp();
        try
        {
            _process = await specification.Start(_stop.Token).ConfigureAwait(false);
        }
        catch (Exception error) when (_firstRun.Task.IsCompletedSuccessfully && !_stop.IsCancellationRequested)
        {
            // Whatever it was, another try is the best that can be done, and the others must go on.
            return Down(
                _backoff.Next(TimeSpan.Zero),
                error is LocalException ? error.Message : $"{specification.Name} did not start: {error.Message}");
        }

        Show(Status with { State = ChildState.Running, Pid = _process.Id });
        _firstRun.TrySetResult();
        using var watching = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        var watch = WatchAsync(_process, watching.Token);
        var exit = await _process.Exited.WaitAsync(_stop.Token).ConfigureAwait(false);
        await watching.CancelAsync().ConfigureAwait(false);
        var hung = await watch.ConfigureAwait(false);
        await _process.DisposeAsync().ConfigureAwait(false);
        _process = null;
        var asked = Interlocked.Exchange(ref _restartReason, null);
        return Down(
            _backoff.Next(time.GetElapsedTime(started)),
            hung is not null ? $"{specification.Name} was killed, it hung: {hung}"
                : asked is not null ? $"{specification.Name} was stopped: {asked}" : exit.ToString());
    }

    /// <summary>Kills the process when its probe has failed for too long; returns why, or null when it ended by itself.</summary>
    private async Task<string?> WatchAsync(ChildProcess process, CancellationToken stop)
    {
        var failures = 0;
        while (specification.Probe is { } probe && !stop.IsCancellationRequested)
        {
            await Task.Delay(specification.ProbeInterval, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            var ailment = await ProbeAsync(probe, stop).ConfigureAwait(false);
            if (stop.IsCancellationRequested)
                break;
            // While the disk is full a server that hangs would hang again: it is started anew when there is room.
            failures = ailment is null ? 0 : IsHeld() ? failures : failures + 1;
            if (failures >= specification.ProbeFailures)
            {
                process.Kill();
                return ailment;
            }

            if (ailment != Status.Ailment)
                Show(Status with { Ailment = ailment }, sinceNow: false);
        }

        return null;
    }

    private async Task<string?> ProbeAsync(Func<CancellationToken, Task<string?>> probe, CancellationToken stop)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
        deadline.CancelAfter(specification.ProbeInterval);
        try
        {
            // A probe that does not obey its deadline must not hold up the supervision.
            return await probe(deadline.Token).WaitAsync(deadline.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return $"no answer within {specification.ProbeInterval.TotalSeconds:0.#} s";
        }
        catch (Exception error)
        {
            // Whatever a probe throws says that it did not succeed, and nothing of it may end the supervision.
            return error.Message;
        }
    }

    private bool IsHeld()
    {
        try
        {
            return hold() is not null;
        }
        catch (Exception)
        {
            // Nobody knows of a reason to wait.
            return false;
        }
    }

    private async Task WaitForNeedsAsync()
    {
        while (needs.FirstOrDefault(need => need.Status.State != ChildState.Running) is not null)
        {
            if (Status.State != ChildState.Waiting)
                Show(Status with { State = ChildState.Waiting });
            await Task.Delay(NeedInterval, time, _stop.Token).ConfigureAwait(false);
        }
    }

    private async Task<ChildExit?> EndAsync()
    {
        ChildExit? exit = null;
        if (_process is { } process)
        {
            exit = await process.StopAsync(specification.StopDeadline).ConfigureAwait(false);
            await process.DisposeAsync().ConfigureAwait(false);
        }

        Show(Status with { State = ChildState.Stopped, Pid = null });
        return exit;
    }

    private TimeSpan Down(TimeSpan wait, string why)
    {
        Show(Status with { State = ChildState.Down, Pid = null, LastFailure = why, Ailment = null });
        Safely(() => say($"{why}; it is started again in {wait.TotalSeconds:0.#} s"));
        return wait;
    }

    private void Show(ChildStatus status, bool sinceNow = true)
    {
        Status = sinceNow ? status with { Since = time.GetUtcNow() } : status;
        Safely(changed);
    }

    /// <summary>Who is told, a closed terminal or a full disk, has no say in whether a child lives.</summary>
    private static void Safely(Action tell)
    {
        try
        {
            tell();
        }
        catch (Exception)
        {
            // The status itself is kept and is in the next notice.
        }
    }
}
