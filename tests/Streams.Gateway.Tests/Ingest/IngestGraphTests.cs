using System.Collections.Concurrent;
using Akka.Streams;
using Akka.Streams.Dsl;
using Akka.TestKit.Xunit2;
using Microsoft.Extensions.Logging.Abstractions;
using Streams.Gateway.Ingest;
using Streams.Gateway.Queueing;
using Streams.Gateway.Sessions;
using Streams.Gateway.Tests.Support;
using Streams.Stages;
using Streams.Testing;
using Streams.Wire.Frames;
using Streams.Wire.Keys;

namespace Streams.Gateway.Tests.Ingest;

public sealed class IngestGraphTests : TestKit
{
    private readonly GatewayMetrics _metrics = new();
    private readonly FrameContext _context;
    private readonly KeyArena _arena = new(256);
    private readonly ActorMaterializer _materializer;
    private readonly ConcurrentQueue<GraphEnd> _ends = new();
    private readonly PartitionOutlet _outlet;
    private readonly ScriptedQueue _queue;

    public IngestGraphTests()
        : base(GraphSettings.Configuration)
    {
        _context = TestSession.NewContext(_metrics);
        _materializer = GraphSettings.CreateMaterializer(Sys, "test");
        _outlet = new PartitionOutlet(0, 10_000, _metrics, NullLogger.Instance);
        _queue = new ScriptedQueue(_outlet);
        _outlet.Start(_queue);
    }

    [Fact]
    public async Task Frames_of_many_sessions_leave_in_the_order_of_each()
    {
        await using var graph = await StartAsync(() => IngestStages.Create(_metrics));
        var sessions = Enumerable.Range(0, 8).Select(_ => new TestSession(_context, _arena)).ToList();
        for (uint n = 0; n < 200; n++)
        {
            foreach (var session in sessions)
            {
                Assert.True(graph.TryPost(session.Receive(1, n)));
            }
        }

        await Eventually.TrueAsync(() => _queue.Sent.Count == 1600, "all are sent");
        // The sessions take turns, so each number comes once per session before the next.
        Assert.Equal(Enumerable.Range(0, 1600).Select(i => (uint)(i / 8)), _queue.Sent);
        sessions.ForEach(session => session.Dispose());
        await AssertNothingHeldAsync();
    }

    [Fact]
    public async Task Bad_frames_end_their_session_and_no_other()
    {
        await using var graph = await StartAsync(() => IngestStages.Create(_metrics));
        using var bad = new TestSession(_context, _arena);
        using var good = new TestSession(_context, _arena);
        var sealedFrame = bad.Seal(Batches.Pad(Batches.Make(bad.Epoch, 1, 0)));
        sealedFrame[^1] ^= 1;
        Assert.True(graph.TryPost(bad.Receive(sealedFrame)));
        Assert.True(graph.TryPost(bad.Receive(1, 1)));
        Assert.True(graph.TryPost(good.Receive(1, 0)));
        await Eventually.TrueAsync(() => _queue.Sent.Count == 1, "the good one is sent");
        Assert.Equal((SessionEnd.Protocol, SessionEnd.None), (bad.Ended, good.Ended));
        Assert.Equal(0, graph.Failures);
    }

    [Fact]
    public async Task A_control_frame_is_opened_after_the_data_before_it_though_the_graph_is_busy()
    {
        using var session = new TestSession(_context, _arena);
        var waiting = new[] { session.Receive(1, 0), session.Receive(1, 1) };
        var control = session.Seal([1, 2, 3], FrameType.Want);
        Assert.Equal(FrameError.None, session.Open(control, out var payload));
        Assert.Equal([1, 2, 3], payload);
        Assert.All(waiting, frame => Assert.Equal(FrameError.None, frame.Opened));

        await using var graph = await StartAsync(() => IngestStages.Create(_metrics));
        Assert.All(waiting, frame => Assert.True(graph.TryPost(frame)));
        await Eventually.TrueAsync(() => _queue.Sent.Count == 2, "the graph takes them as they are");
        Assert.Equal([0U, 1U], _queue.Sent);
    }

    [Fact]
    public async Task A_failed_graph_gives_everything_back_ends_its_sessions_and_starts_again()
    {
        var poisoned = 1;
        await using var graph = await StartAsync(() => Flow.Create<IngestFrame>()
            .Select(frame => Interlocked.Exchange(ref poisoned, 0) == 1 ? throw new InvalidOperationException("poison") : frame)
            .Via(IngestStages.Create(_metrics)));
        var sessions = Enumerable.Range(0, 4).Select(_ => new TestSession(_context, _arena)).ToList();
        foreach (var session in sessions)
        {
            graph.TryPost(session.Receive(1, 0));
        }

        await Eventually.TrueAsync(() => _ends.Count == 1 && graph.State == GraphState.Running, "it failed and runs again");
        Assert.Contains("poison", Assert.Single(_ends).Failure!.ToString(), StringComparison.Ordinal);
        Assert.Equal(SessionEnd.GraphFailed, sessions[0].Ended);

        // Nothing that the failed run held stays out of the account. A session that came through, or comes again, is served by the new run.
        using var next = new TestSession(_context, _arena);
        Assert.True(graph.TryPost(next.Receive(9, 0)));
        await Eventually.TrueAsync(() => _queue.Sent.Count >= 1 && _context.Buffers.Rented == 0, "the new run carries, and nothing is held");
        sessions.ForEach(session => session.Dispose());
        next.Dispose();
        await AssertNothingHeldAsync();
    }

    [Fact]
    public async Task Stopping_finishes_what_is_inside_and_takes_no_more()
    {
        var graph = await StartAsync(() => IngestStages.Create(_metrics));
        using var session = new TestSession(_context, _arena);
        for (uint n = 0; n < 50; n++)
        {
            Assert.True(graph.TryPost(session.Receive(1, n)));
        }

        await graph.StopAsync(TimeSpan.FromSeconds(5));
        Assert.Equal(GraphState.Stopped, graph.State);
        var late = session.Receive(1, 50);
        Assert.False(graph.TryPost(late));
        late.Settle(FrameFate.Stopped);
        await Eventually.TrueAsync(() => _queue.Sent.Count == 50 && _context.Buffers.Rented == 0, "all fifty went out");
    }

    [Fact]
    public async Task A_stop_that_the_graph_never_answers_gives_everything_back_and_what_comes_out_later_goes_nowhere()
    {
        using var stuck = new ManualResetEventSlim();
        var reached = new TaskCompletionSource();
        var passed = new TaskCompletionSource();
        var graph = await StartAsync(() => Flow.Create<IngestFrame>()
            .Via(IngestStages.Create(_metrics))
            .Select(frame =>
            {
                reached.TrySetResult();
                // As if the actor system had gone: the abort is not seen either.
                stuck.Wait();
                passed.TrySetResult();
                return frame;
            }));
        var session = new TestSession(_context, _arena);
        for (uint n = 0; n < 3; n++)
        {
            Assert.True(graph.TryPost(session.Receive(1, n)));
        }

        await reached.Task;
        await graph.StopAsync(TimeSpan.FromMilliseconds(50));
        Assert.Equal((GraphState.Stopped, SessionEnd.Draining), (graph.State, session.Ended));
        Assert.Equal(0, _context.Buffers.Rented);
        var late = session.Receive(1, 3);
        Assert.False(graph.TryPost(late));
        late.Settle(FrameFate.Stopped);

        stuck.Set();
        await passed.Task;
        await graph.DisposeAsync();
        await graph.DisposeAsync();
        Assert.Empty(_queue.Sent);
        session.Dispose();
        await AssertNothingHeldAsync();
    }

    [Fact]
    public async Task A_system_without_the_dispatcher_is_refused_in_words()
    {
        var system = Akka.Actor.ActorSystem.Create("bare");
        var error = Assert.Throws<Akka.Configuration.ConfigurationException>(() => GraphSettings.CreateMaterializer(system, "x"));
        Assert.Contains("GraphSettings.Configuration", error.Message, StringComparison.Ordinal);
        await system.Terminate();
    }

    private async Task<IngestGraph> StartAsync(Func<Flow<IngestFrame, IngestFrame, Akka.NotUsed>> stages)
    {
        var graph = new IngestGraph("test", 10_000, _materializer, stages, [_outlet], _ends.Enqueue, new GraphBackoff { First = TimeSpan.FromMilliseconds(20) });
        graph.Start();
        await Eventually.TrueAsync(() => graph.State == GraphState.Running, "it runs");
        return graph;
    }

    private Task AssertNothingHeldAsync() => Eventually.TrueAsync(
        () => _context.Buffers.Rented == 0 && _context.Pool.Reserved == 0 && _arena.Rented == 0, "buffers, credit and keys are back");
}
