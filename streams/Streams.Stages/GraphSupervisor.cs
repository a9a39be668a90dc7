namespace Streams.Stages;

/// <summary>
/// Keeps one graph of the data path running: materialises it, observes how it ends and materialises it again as a whole. That whole is the unit of restart:
/// what was inside is not carried over, its senders have it still and send it again (go-back-N), so nothing is lost and nothing resumes half-way.
/// </summary>
public sealed class GraphSupervisor : IAsyncDisposable
{
    private static readonly TimeSpan AbortPatience = TimeSpan.FromSeconds(5);

    private readonly Func<CancellationToken, Task<GraphRun>> _materialise;
    private readonly Action<GraphEnd> _ended;
    private readonly GraphBackoff _backoff;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private Task _loop = Task.CompletedTask;
    private GraphRun? _run;
    private bool _started;
    private bool _abort;
    private long _failures;
    private int _state = (int)GraphState.Starting;

    /// <param name="name">For logs and metrics.</param>
    /// <param name="materialise">Builds and starts the graph, recovery included. A fault of it counts as a failed run.</param>
    /// <param name="ended">
    /// Called once for each end that was not asked for, before the wait and never concurrently. It must release what the graph held (end the sessions,
    /// refuse what is queued) and must not throw.
    /// </param>
    public GraphSupervisor(
        string name, Func<CancellationToken, Task<GraphRun>> materialise, Action<GraphEnd> ended, GraphBackoff? backoff = null, TimeProvider? time = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(materialise);
        ArgumentNullException.ThrowIfNull(ended);
        Name = name;
        _materialise = materialise;
        _ended = ended;
        _backoff = backoff ?? GraphBackoff.Default;
        _time = time ?? TimeProvider.System;
    }

    public string Name { get; }

    public GraphState State => (GraphState)Volatile.Read(ref _state);

    /// <summary>Ends that nobody asked for.</summary>
    public long Failures => Interlocked.Read(ref _failures);

    /// <summary>Begins the first attempt and returns; <see cref="State"/> tells when it runs.</summary>
    public void Start()
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_stop.IsCancellationRequested, this);
            if (!_started)
            {
                _started = true;
                _loop = Task.Run(SuperviseAsync);
            }
        }
    }

    /// <summary>Drains the graph, aborts it when that takes longer than <paramref name="patience"/>, and starts it no more.</summary>
    public async Task StopAsync(TimeSpan patience)
    {
        GraphRun? run;
        lock (_gate)
        {
            _stop.Cancel();
            run = _run;
        }

        run?.Drain();
        if (await Task.WhenAny(_loop, Task.Delay(patience, _time)).ConfigureAwait(false) != _loop)
        {
            lock (_gate)
            {
                _abort = true;
                run = _run;
            }

            run?.Abort();
            // An actor system that has gone never answers an abort: who stops us must not wait for it for ever.
            await Task.WhenAny(_loop, Task.Delay(AbortPatience, _time)).ConfigureAwait(false);
        }

        Volatile.Write(ref _state, (int)GraphState.Stopped);
    }

    /// <summary>Aborts; may be called again. The token source is not disposed: a graph that never answered outlives this and may still look at it.</summary>
    public ValueTask DisposeAsync() => new(StopAsync(TimeSpan.Zero));

    private async Task SuperviseAsync()
    {
        var wait = TimeSpan.Zero;
        while (!_stop.IsCancellationRequested)
        {
            Volatile.Write(ref _state, (int)GraphState.Starting);
            var started = _time.GetTimestamp();
            var failure = await RunOnceAsync().ConfigureAwait(false);
            if (_stop.IsCancellationRequested)
            {
                break;
            }

            wait = _backoff.Next(wait, _time.GetElapsedTime(started));
            Volatile.Write(ref _state, (int)GraphState.Waiting);
            _ended(new GraphEnd(Name, failure, Interlocked.Increment(ref _failures), wait));
            await Task.Delay(wait, _time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        Volatile.Write(ref _state, (int)GraphState.Stopped);
    }

    private async Task<Exception?> RunOnceAsync()
    {
        try
        {
            var run = await _materialise(_stop.Token).ConfigureAwait(false);
            bool stopping, abort;
            lock (_gate)
            {
                _run = run;
                stopping = _stop.IsCancellationRequested;
                abort = _abort;
            }

            // Asked to stop while it was being materialised: StopAsync saw no run that it could drain or abort.
            if (abort)
            {
                run.Abort();
            }
            else if (stopping)
            {
                run.Drain();
            }
            else
            {
                Volatile.Write(ref _state, (int)GraphState.Running);
            }

            await run.Completion.ConfigureAwait(false);
            return null;
        }
        catch (Exception failure)
        {
            return failure;
        }
        finally
        {
            lock (_gate)
            {
                _run = null;
            }
        }
    }
}
