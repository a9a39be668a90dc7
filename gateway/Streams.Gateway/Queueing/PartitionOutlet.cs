using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Streams.Gateway.Ingest;
using Streams.Gateway.Sessions;
using Streams.Queue;

namespace Streams.Gateway.Queueing;

/// <summary>
/// The way out to one ingest partition: publishes with many acknowledgements in flight and keeps every frame until the queue has it. When a publish fails or its
/// outcome is unknown, nothing new is sent until all outcomes are in; then what is not acknowledged goes again, in its order and under its ids, so that a lane
/// keeps its order and the queue's duplicate window swallows what it had already. That may last as long as the queue is away: the sessions live, and the frames hold
/// their credit, which is the backpressure. Whether all of it was stored, the worker is asked afterwards; a lane that it sends back leaves
/// nothing here.
/// </summary>
internal sealed class PartitionOutlet : IAsyncDisposable
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    private readonly Channel<IngestFrame> _incoming;
    private readonly Queue<IngestFrame> _again = new();
    private readonly List<IngestFrame> _unsettled = [];
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly GatewayMetrics _metrics;
    private readonly ILogger _logger;
    private IPartitionQueue? _queue;
    private Task _loop = Task.CompletedTask;
    private Task<bool>? _reading;
    private TaskCompletionSource? _troubleSignal;
    private PublishOutcome _trouble;
    private volatile bool _stopping;

    /// <param name="capacity">
    /// Frames that may be here: the pool's bytes divided by those of the smallest frame that admission passes. Every frame here holds its bytes of the pool, whose
    /// sum never exceeds it, so the channel is never full; were it, <see cref="Enqueue"/> would end the session of the frame.
    /// </param>
    public PartitionOutlet(int partition, int capacity, GatewayMetrics metrics, ILogger logger)
    {
        _incoming = Channel.CreateBounded<IngestFrame>(new BoundedChannelOptions(capacity) { FullMode = BoundedChannelFullMode.Wait, SingleReader = true });
        Partition = partition;
        _metrics = metrics;
        _logger = logger;
    }

    public int Partition { get; }

    public int InFlight => _queue?.InFlight ?? 0;

    /// <summary>What the queue last said if it did not take a message; Acknowledged while all goes well.</summary>
    public PublishOutcome Trouble
    {
        get
        {
            lock (_gate)
            {
                return _trouble;
            }
        }
    }

    /// <summary>Begins; <see cref="OnResult"/> must be the callback of <paramref name="queue"/>, which this outlet owns from here on.</summary>
    public void Start(IPartitionQueue queue)
    {
        _queue = queue;
        _loop = Task.Run(RunAsync);
    }

    /// <summary>Takes an admitted frame; never waits, so the graph is never blocked. Once the outlet stops, it settles the frame and ends its session.</summary>
    public void Enqueue(IngestFrame frame)
    {
        if (_incoming.Writer.TryWrite(frame))
        {
            return;
        }

        // Stopping, or full, which would be a fault of the account. Either way the frames after this one must not pass it.
        var stopping = _stopping;
        if (!stopping)
        {
            _metrics.Error("outlet_full");
        }

        frame.Owner.End(stopping ? SessionEnd.Draining : SessionEnd.Internal);
        frame.Settle(stopping ? FrameFate.Stopped : FrameFate.GraphFailed);
    }

    /// <summary>The queue's answer to one message; called in the order of sending.</summary>
    public void OnResult(PublishOutcome outcome, object? state)
    {
        var frame = (IngestFrame)state!;
        if (outcome is PublishOutcome.Acknowledged or PublishOutcome.Duplicate)
        {
            lock (_gate)
            {
                if (_unsettled.Count == 0)
                {
                    _trouble = PublishOutcome.Acknowledged;
                }
            }

            frame.Settle(FrameFate.Stored);
            return;
        }

        _metrics.Error(Label(outcome));
        if (outcome == PublishOutcome.Ambiguous)
        {
            frame.Owner.Doubt();
        }

        lock (_gate)
        {
            _trouble = outcome;
            _unsettled.Add(frame);
            _troubleSignal?.TrySetResult();
        }
    }

    /// <summary>Waits until everything taken so far is settled, at most <paramref name="patience"/>, then stops; what is left is settled as stopped.</summary>
    public async Task StopAsync(TimeSpan patience)
    {
        Complete();
        await Task.WhenAny(_loop, Task.Delay(patience)).ConfigureAwait(false);
        await DisposeAsync().ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        Complete();
        await _stop.CancelAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_queue is not null)
        {
            // Gives every message in flight its outcome: those land in _unsettled.
            await _queue.DisposeAsync().ConfigureAwait(false);
        }

        CollectUnsettled();
        while (_again.TryDequeue(out var frame) || _incoming.Reader.TryRead(out frame))
        {
            frame.Settle(FrameFate.Stopped);
        }
    }

    private void Complete()
    {
        _stopping = true;
        _incoming.Writer.TryComplete();
    }

    private async Task RunAsync()
    {
        while (true)
        {
            try
            {
                await CarryAsync().ConfigureAwait(false);
                return;
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                // Stopped: DisposeAsync settles the rest.
                return;
            }
            catch (Exception fault)
            {
                // Whatever it was, without this loop the partition would stand still for good: begin again with what is here.
                _metrics.Error("outlet");
                _logger.OutletFault(Partition, fault);
                await Task.Delay(LongestPause, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task CarryAsync()
    {
        var pause = FirstPause;
        var probing = false;
        while (true)
        {
            if (Troubled())
            {
                probing = true;
                await _queue!.DrainAsync(_stop.Token).ConfigureAwait(false);
                CollectUnsettled();
                await Task.Delay(pause, _stop.Token).ConfigureAwait(false);
                pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
            }
            else if (_again.TryPeek(out var frame))
            {
                var sent = await SendAsync(frame).ConfigureAwait(false);
                _again.Dequeue();
                if (probing && sent)
                {
                    // A queue that is full is asked with one message, not with a window of them every time.
                    await _queue!.DrainAsync(_stop.Token).ConfigureAwait(false);
                    probing = Troubled();
                }
            }
            else if (_incoming.Reader.TryRead(out frame))
            {
                pause = FirstPause;
                probing = false;
                await SendAsync(frame).ConfigureAwait(false);
            }
            else if (!await WaitAsync().ConfigureAwait(false))
            {
                return;
            }
        }
    }

    /// <summary>Hands a frame to the queue; false when it goes nowhere and is settled.</summary>
    private async ValueTask<bool> SendAsync(IngestFrame frame)
    {
        if (frame.IsSettled)
        {
            // Its sending failed in a way that ended its session, and an outcome came for it all the same.
            return false;
        }

        if (IngestStages.Abandoned(frame) is { } fate)
        {
            frame.Settle(fate);
            return false;
        }

        try
        {
            await _queue!.SendAsync(frame.Owner.Route.AgentId, frame.Headers, frame.Message, frame, _stop.Token).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // Nothing was sent and no outcome comes.
            frame.Settle(FrameFate.Stopped);
            throw;
        }
        catch (Exception fault)
        {
            // The frame, not the partition, is at fault until shown otherwise: its session sends again, the others go on. Its lane keeps its order, as what
            // follows of it is abandoned with the session.
            _metrics.Error("publish_fault");
            _logger.PublishFault(Partition, frame.Owner.Route.AgentId, fault);
            frame.Owner.End(SessionEnd.Internal);
            frame.Settle(FrameFate.GraphFailed);
            return false;
        }
    }

    /// <summary>Waits for the next frame or for a failure of one in flight. False when no frame will come and every outcome is in and good.</summary>
    private async ValueTask<bool> WaitAsync()
    {
        ForgetTrouble();
        var trouble = TroubleSignal();
        _reading ??= _incoming.Reader.WaitToReadAsync(_stop.Token).AsTask();
        if (!_reading.IsCompleted)
        {
            await Task.WhenAny(_reading, trouble).ConfigureAwait(false);
        }

        if (!_reading.IsCompleted)
        {
            return true;
        }

        var reading = _reading;
        _reading = null;
        if (await reading.ConfigureAwait(false))
        {
            return true;
        }

        await _queue!.DrainAsync(_stop.Token).ConfigureAwait(false);
        return Troubled();
    }

    private Task TroubleSignal()
    {
        lock (_gate)
        {
            if (_unsettled.Count > 0)
            {
                return Task.CompletedTask;
            }

            if (_troubleSignal is null || _troubleSignal.Task.IsCompleted)
            {
                _troubleSignal = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }

            return _troubleSignal.Task;
        }
    }

    /// <summary>What the queue did not take was taken back by its sessions: without this nobody would get credit to try again.</summary>
    private void ForgetTrouble()
    {
        if (_queue!.InFlight == 0)
        {
            lock (_gate)
            {
                _trouble = _unsettled.Count == 0 ? PublishOutcome.Acknowledged : _trouble;
            }
        }
    }

    private bool Troubled()
    {
        lock (_gate)
        {
            return _unsettled.Count > 0;
        }
    }

    /// <summary>What failed goes before what waits; both are in the order of sending.</summary>
    private void CollectUnsettled()
    {
        lock (_gate)
        {
            if (_unsettled.Count == 0)
            {
                return;
            }

            while (_again.TryDequeue(out var later))
            {
                _unsettled.Add(later);
            }

            foreach (var frame in _unsettled)
            {
                _again.Enqueue(frame);
            }

            _unsettled.Clear();
        }
    }

    private static string Label(PublishOutcome outcome) => outcome switch
    {
        PublishOutcome.QueueFull => "queue_full",
        PublishOutcome.Ambiguous => "publish_ambiguous",
        _ => "publish_refused",
    };
}
