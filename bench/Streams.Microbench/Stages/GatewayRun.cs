using System.Threading.Channels;
using Akka.Streams;
using Microsoft.Extensions.Logging.Abstractions;
using Streams.Gateway;
using Streams.Gateway.Connections;
using Streams.Gateway.Credit;
using Streams.Gateway.Ingest;
using Streams.Gateway.Queueing;
using Streams.Microbench.Mix;
using Streams.Schema;
using Streams.Stages;
using Streams.Wire.Keys;

namespace Streams.Microbench.Stages;

/// <summary>
/// Sealed frames of one batch each through the gateway's graph, and through a loop by hand that does the same to each: decrypt, admit, hand to the
/// partition's way out. In front of both a connection's loop takes credit and a buffer for each frame, with a window of frames under way.
/// </summary>
internal sealed class GatewayRun : IAsyncDisposable
{
    /// <summary>Room in the window is given back an eighth at a time: a feeder that is woken for each frame would be what is measured.</summary>
    private const int Parts = 8;

    private const long PoolBytes = 256L << 20;

    private readonly byte[][] _templates;
    private readonly byte[][] _sealed;
    private readonly int _frames;
    private readonly GatewayMetrics _metrics = new();
    private readonly KeyArena _arena = new(64);
    private readonly FrameContext _context;
    private readonly PartitionOutlet _outlet;
    private readonly IngestGraph _graph;
    private readonly SemaphoreSlim _window;
    private readonly int _release;
    private GatewaySession? _session;
    private TaskCompletionSource _allTaken = new();
    private int _left;

    /// <param name="window">Frames under way at most. The shared pool of arrays keeps 32 of a size for each core; beyond it every buffer is a new one.</param>
    public GatewayRun(ActorMaterializer materializer, int frames, int rows, int window)
    {
        _release = window / Parts;
        _window = new SemaphoreSlim(window);
        _templates = frames % _release == 0
            ? PreparedBatches.Templates(Math.Min(frames, 300), rows)
            : throw new ArgumentException($"{frames} frames are not a multiple of {_release}");
        _sealed = new byte[frames][];
        _frames = frames;
        Rows = (long)frames * rows;
        _context = new FrameContext(new FrameBuffers(), new CreditPool(PoolBytes), _metrics);
        _outlet = new PartitionOutlet(0, frames, _metrics, NullLogger.Instance);
        _outlet.Start(new TakingQueue(_outlet, Taken));
        _graph = new IngestGraph("bench", frames, materializer, () => IngestStages.Create(_metrics), [_outlet], static end => throw new InvalidOperationException("the graph ended", end.Failure));
    }

    public long Rows { get; }

    public int Frames => _frames;

    /// <summary>Mean bytes of a frame.</summary>
    public long FrameBytes => _sealed.Sum(static frame => (long)frame.Length) / _frames;

    public async Task StartAsync()
    {
        _graph.Start();
        while (_graph.State != GraphState.Running)
        {
            await Task.Delay(10).ConfigureAwait(false);
        }
    }

    /// <summary>Seals the frames of the next run; a frame opens once. Not measured.</summary>
    public void Prepare()
    {
        _session?.Dispose();
        _session = new GatewaySession(_context, _arena);
        var epoch = Epoch.NewRandom();
        for (var i = 0; i < _frames; i++)
        {
            _sealed[i] = _session.Seal(PreparedBatches.Named(_templates[i % _templates.Length], new BatchName(epoch, 1, (uint)i)));
        }

        _left = _frames;
        _allTaken = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    public async Task GraphAsync()
    {
        Feed(_graph, static (graph, frame) => graph.TryPost(frame));
        await _allTaken.Task.ConfigureAwait(false);
        CheckSession();
    }

    public async Task LoopAsync()
    {
        var channel = Channel.CreateBounded<IngestFrame>(new BoundedChannelOptions(_frames) { SingleReader = true });
        // A thread of its own, as the graph has: on the pool, what it wakes would queue up behind it.
        var loop = Task.Factory.StartNew(() => Carry(channel.Reader), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        Feed(channel.Writer, static (writer, frame) => writer.TryWrite(frame));
        channel.Writer.Complete();
        await loop.ConfigureAwait(false);
        await _allTaken.Task.ConfigureAwait(false);
        CheckSession();
    }

    public async ValueTask DisposeAsync()
    {
        await _graph.DisposeAsync().ConfigureAwait(false);
        await _outlet.DisposeAsync().ConfigureAwait(false);
        _session?.Dispose();
        _arena.Dispose();
        _metrics.Dispose();
        _window.Dispose();
    }

    private void Feed<T>(T into, Func<T, IngestFrame, bool> post)
    {
        foreach (var frame in _sealed)
        {
            _window.Wait();
            if (!post(into, _session!.Receive(frame, 1_700_000_000_000_000)))
            {
                throw new InvalidOperationException("a frame was not taken");
            }
        }
    }

    private void Carry(ChannelReader<IngestFrame> frames)
    {
        while (frames.WaitToReadAsync() is var waiting && (waiting.IsCompletedSuccessfully ? waiting.Result : waiting.AsTask().GetAwaiter().GetResult()))
        {
            while (frames.TryRead(out var frame))
            {
                IngestStages.Admit(IngestStages.Open(frame, _metrics), _metrics);
                if (!frame.IsSettled)
                {
                    _outlet.Enqueue(frame);
                }
            }
        }
    }

    private void Taken()
    {
        var left = Interlocked.Decrement(ref _left);
        if (left % _release == 0)
        {
            _window.Release(_release);
        }

        if (left == 0)
        {
            _allTaken.SetResult();
        }
    }

    private void CheckSession()
    {
        if (_session!.Ended != Gateway.Sessions.SessionEnd.None)
        {
            throw new InvalidOperationException($"the session ended: {_session.Ended}");
        }
    }
}
