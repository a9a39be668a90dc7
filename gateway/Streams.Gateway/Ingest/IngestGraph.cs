using System.Threading.Channels;
using Akka;
using Akka.Streams;
using Akka.Streams.Dsl;
using Streams.Gateway.Queueing;
using Streams.Stages;

namespace Streams.Gateway.Ingest;

/// <summary>
/// One of the N graphs that carry data: it serves the partitions ≡ its number mod N, so that an agent's frames keep their order and a stalled partition stalls
/// no other's. Every frame inside is in a list of its own, so that nothing is lost to the account when the graph fails: its frames are settled, their sessions
/// ended, and the agents send again.
/// </summary>
internal sealed class IngestGraph : IAsyncDisposable
{
    private readonly int _capacity;
    private readonly ActorMaterializer _materializer;
    private readonly Func<Flow<IngestFrame, IngestFrame, NotUsed>> _stages;
    private readonly IReadOnlyList<PartitionOutlet> _outlets;
    private readonly Action<GraphEnd> _failed;
    private readonly GraphSupervisor _supervisor;
    private readonly Lock _gate = new();
    private ChannelWriter<IngestFrame>? _writer;
    private IngestFrame? _inside;

    /// <param name="name">For logs and metrics.</param>
    /// <param name="capacity">Frames that may wait: as many as the smallest of them that the credit pool has room for.</param>
    /// <param name="stages">What a frame goes through before it is routed.</param>
    /// <param name="outlets">By partition, all of them.</param>
    /// <param name="failed">Told of each end that nobody asked for.</param>
    public IngestGraph(string name, int capacity, ActorMaterializer materializer, Func<Flow<IngestFrame, IngestFrame, NotUsed>> stages,
        IReadOnlyList<PartitionOutlet> outlets, Action<GraphEnd> failed, GraphBackoff? backoff = null)
    {
        _capacity = capacity;
        _materializer = materializer;
        _stages = stages;
        _outlets = outlets;
        _failed = failed;
        _supervisor = new GraphSupervisor(name, MaterialiseAsync, OnEnded, backoff);
    }

    public string Name => _supervisor.Name;

    public GraphState State => _supervisor.State;

    public long Failures => _supervisor.Failures;

    public void Start() => _supervisor.Start();

    /// <summary>Hands a frame over. False when the graph does not run: the frame is still the caller's.</summary>
    public bool TryPost(IngestFrame frame)
    {
        lock (_gate)
        {
            if (_writer is null || !_writer.TryWrite(frame))
            {
                return false;
            }

            frame.After = _inside;
            if (_inside is not null)
            {
                _inside.Before = frame;
            }

            _inside = frame;
            return true;
        }
    }

    /// <summary>Finishes what is inside, then stops for good.</summary>
    public async Task StopAsync(TimeSpan patience)
    {
        await _supervisor.StopAsync(patience).ConfigureAwait(false);
        GiveUp(FrameFate.Stopped);
    }

    public async ValueTask DisposeAsync()
    {
        await _supervisor.DisposeAsync().ConfigureAwait(false);
        GiveUp(FrameFate.Stopped);
    }

    private Task<GraphRun> MaterialiseAsync(CancellationToken cancel)
    {
        // Every frame here holds its bytes of the credit pool and none is smaller than the receiver lets in, so Wait is never reached; a full channel would be
        // seen as "does not run".
        var channel = Channel.CreateBounded<IngestFrame>(new BoundedChannelOptions(_capacity)
        {
            FullMode = BoundedChannelFullMode.Wait,
            SingleReader = true,
            SingleWriter = false,
        });
        var (kill, completion) = ChannelSource.FromReader(channel.Reader)
            .ViaMaterialized(KillSwitches.Single<IngestFrame>(), Keep.Right)
            .Via(_stages())
            .ToMaterialized(Sink.ForEach<IngestFrame>(Route), Keep.Both)
            .Run(_materializer);
        lock (_gate)
        {
            _writer = channel.Writer;
        }

        return Task.FromResult(new GraphRun(completion, () => Close(), () => kill.Abort(new OperationCanceledException("the gateway stops"))));
    }

    private void Route(IngestFrame frame)
    {
        // Who takes a frame out of the list owns it: a frame that was given up meanwhile goes nowhere, and one that goes on is not given up.
        if (Leave(frame) && !frame.IsSettled)
        {
            _outlets[frame.Owner.Route.Partition].Enqueue(frame);
        }
    }

    /// <summary>Takes a frame out of the list of those inside. True for one caller only.</summary>
    private bool Leave(IngestFrame frame)
    {
        lock (_gate)
        {
            if (frame.Before is null && frame != _inside)
            {
                return false;
            }

            if (frame.Before is null)
            {
                _inside = frame.After;
            }
            else
            {
                frame.Before.After = frame.After;
            }

            if (frame.After is not null)
            {
                frame.After.Before = frame.Before;
            }

            frame.Before = null;
            frame.After = null;
            return true;
        }
    }

    private void OnEnded(GraphEnd end)
    {
        Close();
        GiveUp(FrameFate.GraphFailed);
        _failed(end);
    }

    private void Close()
    {
        lock (_gate)
        {
            _writer?.TryComplete();
            _writer = null;
        }
    }

    private void GiveUp(FrameFate fate)
    {
        while (true)
        {
            IngestFrame? frame;
            lock (_gate)
            {
                frame = _inside;
            }

            if (frame is null)
            {
                return;
            }

            if (Leave(frame))
            {
                frame.Owner.End(FrameAdmission.Consequence(fate));
                frame.Settle(fate);
            }
        }
    }
}
