using Microsoft.Extensions.Logging.Abstractions;
using Streams.Gateway.Ingest;
using Streams.Gateway.Queueing;
using Streams.Gateway.Sessions;
using Streams.Gateway.Tests.Support;
using Streams.Queue;
using Streams.Testing;
using Streams.Wire.Keys;

namespace Streams.Gateway.Tests.Queueing;

public sealed class PartitionOutletTests
{
    private readonly GatewayMetrics _metrics = new();
    private readonly FrameContext _context;
    private readonly KeyArena _arena = new(64);
    private readonly PartitionOutlet _outlet;
    private readonly ScriptedQueue _queue;
    private readonly TestSession _session;

    public PartitionOutletTests()
    {
        _context = TestSession.NewContext(_metrics);
        _outlet = new PartitionOutlet(0, 10_000, _metrics, NullLogger.Instance);
        _queue = new ScriptedQueue(_outlet);
        _session = new TestSession(_context, _arena);
    }

    [Theory]
    [InlineData(PublishOutcome.Ambiguous)]
    [InlineData(PublishOutcome.QueueFull)]
    [InlineData(PublishOutcome.Refused)]
    public async Task What_fails_goes_again_before_what_waits_and_in_its_order(PublishOutcome outcome)
    {
        var failures = 0;
        _queue.Script = headers => headers.First == 2 && Interlocked.Increment(ref failures) <= 2 ? outcome : PublishOutcome.Acknowledged;
        _outlet.Start(_queue);
        Enqueue(0, 5);
        await Eventually.TrueAsync(() => _context.Buffers.Rented == 0, "all are acknowledged in the end");
        Assert.Equal([0, 1, 2, 2, 2, 3, 4], _queue.Sent.Select(n => (int)n));
        Assert.Equal(PublishOutcome.Acknowledged, _outlet.Trouble);
        await _outlet.DisposeAsync();
    }

    [Fact]
    public async Task A_window_in_flight_that_becomes_ambiguous_is_sent_again_whole()
    {
        var held = true;
        _queue.Script = _ => held ? null : PublishOutcome.Duplicate;
        _outlet.Start(_queue);
        Enqueue(0, 4);
        await Eventually.TrueAsync(() => _queue.InFlight == 4, "four are on their way");
        held = false;
        _queue.Answer(PublishOutcome.Acknowledged);
        for (var i = 0; i < 3; i++)
        {
            _queue.Answer(PublishOutcome.Ambiguous);
        }

        await Eventually.TrueAsync(() => _context.Buffers.Rented == 0, "the rest went again");
        Assert.Equal([0, 1, 2, 3, 1, 2, 3], _queue.Sent.Select(n => (int)n));
        await _outlet.DisposeAsync();
    }

    [Fact]
    public async Task A_displaced_session_publishes_no_more()
    {
        _queue.Script = _ => null;
        _outlet.Start(_queue);
        Enqueue(0, 1);
        await Eventually.TrueAsync(() => _queue.InFlight == 1, "one is on its way");
        _session.End(SessionEnd.Displaced);
        Enqueue(1, 3);
        _queue.Answer(PublishOutcome.Ambiguous);
        await Eventually.TrueAsync(() => _context.Buffers.Rented == 0, "all are settled");
        Assert.Equal([0U], _queue.Sent);
        await _outlet.DisposeAsync();
    }

    [Fact]
    public async Task A_lane_that_went_back_leaves_nothing_in_the_outlet_and_the_others_go_on()
    {
        _queue.Script = _ => null;
        _outlet.Start(_queue);
        Enqueue(0, 1);
        await Eventually.TrueAsync(() => _queue.InFlight == 1, "one is on its way");
        _outlet.Enqueue(Admitted(_session, 0, lane: 2));
        await Eventually.TrueAsync(() => _queue.InFlight == 2, "two are");
        _queue.Answer(PublishOutcome.Ambiguous);
        _queue.Answer(PublishOutcome.Ambiguous);
        Assert.Equal(2, _session.Doubts);
        Enqueue(1, 4);
        Assert.True(_session.Lanes.Rewind(_session.Epoch, 1, 0, Environment.TickCount64));
        _queue.Script = _ => PublishOutcome.Acknowledged;
        Enqueue(0, 2);
        await Eventually.TrueAsync(() => _context.Buffers.Rented == 0, "all are settled");
        // The two that were ambiguous; then lane 2 again, and lane 1 as it comes again.
        Assert.Equal([0U, 0U, 0U, 0U, 1U], _queue.Sent);
        await _outlet.DisposeAsync();
    }

    [Fact]
    public async Task A_full_queue_is_asked_with_one_message_at_a_time_until_it_takes_one()
    {
        var full = true;
        _queue.Script = _ => null;
        _outlet.Start(_queue);
        Enqueue(0, 6);
        await Eventually.TrueAsync(() => _queue.InFlight == 6, "all are on their way");
        _queue.Script = _ => Volatile.Read(ref full) ? PublishOutcome.QueueFull : PublishOutcome.Acknowledged;
        for (var i = 0; i < 6; i++)
        {
            _queue.Answer(PublishOutcome.QueueFull);
        }

        await Eventually.TrueAsync(() => _queue.Sent.Count >= 9, "it is asked again and again");
        Volatile.Write(ref full, false);
        await Eventually.TrueAsync(() => _context.Buffers.Rented == 0, "then all go");
        Assert.All(_queue.Sent.Skip(6).SkipLast(5), n => Assert.Equal(0U, n));
        Assert.Equal([1U, 2U, 3U, 4U, 5U], _queue.Sent.TakeLast(5));
        await _outlet.DisposeAsync();
    }

    [Fact]
    public async Task Trouble_is_over_when_nothing_is_left_that_the_queue_did_not_take()
    {
        _queue.Script = _ => PublishOutcome.QueueFull;
        _outlet.Start(_queue);
        Enqueue(0, 3);
        await Eventually.TrueAsync(() => _outlet.Trouble == PublishOutcome.QueueFull, "it is full");
        _session.End(SessionEnd.Displaced);
        await Eventually.TrueAsync(() => _context.Buffers.Rented == 0 && _outlet.Trouble == PublishOutcome.Acknowledged, "or nobody got credit to try again");
        await _outlet.DisposeAsync();
    }

    [Fact]
    public async Task A_message_that_cannot_be_handed_over_ends_its_session_and_no_other()
    {
        using var other = new TestSession(_context, _arena, agentId: "agent-2");
        _queue.Script = headers => headers.Epoch == _session.Epoch && headers.First == 1 ? throw new InvalidOperationException("poison") : PublishOutcome.Acknowledged;
        _outlet.Start(_queue);
        Enqueue(_session, 0, 4);
        Enqueue(other, 0, 2);
        await Eventually.TrueAsync(() => _context.Buffers.Rented == 0, "all are settled");
        // Of the first session 0, and 1 that failed; of the other both.
        Assert.Equal([0, 1, 0, 1], _queue.Sent.Select(n => (int)n));
        Assert.Equal((SessionEnd.Internal, SessionEnd.None), (_session.Ended, other.Ended));
        await _outlet.DisposeAsync();
    }

    [Fact]
    public async Task A_fault_of_the_loop_does_not_stop_the_partition()
    {
        var faults = 1;
        var failures = 1;
        _queue.Draining = () => Interlocked.Exchange(ref faults, 0) == 1 ? throw new InvalidOperationException("drain") : true;
        _queue.Script = _ => Interlocked.Exchange(ref failures, 0) == 1 ? PublishOutcome.Ambiguous : PublishOutcome.Acknowledged;
        _outlet.Start(_queue);
        Enqueue(0, 1);
        await Eventually.TrueAsync(() => _context.Buffers.Rented == 0, "the loop began again");
        Assert.Equal((0, SessionEnd.None), (faults, _session.Ended));
        Assert.Equal([0U, 0U], _queue.Sent);
        await _outlet.DisposeAsync();
    }

    [Fact]
    public async Task An_outlet_that_is_full_ends_the_session_and_never_blocks()
    {
        var small = new PartitionOutlet(1, 2, _metrics, NullLogger.Instance);
        var frames = Enumerable.Range(0, 3).Select(n => Admitted(_session, (uint)n)).ToList();
        frames.ForEach(small.Enqueue);
        Assert.Equal((SessionEnd.Internal, 2L), (_session.Ended, _context.Buffers.Rented));
        Assert.Equal([false, false, true], frames.Select(frame => frame.IsSettled));
        await small.DisposeAsync();
        Assert.Equal(0, _context.Buffers.Rented);
        using var late = new TestSession(_context, _arena, agentId: "agent-2");
        small.Enqueue(Admitted(late, 0));
        Assert.Equal((SessionEnd.Draining, 0L), (late.Ended, _context.Buffers.Rented));
    }

    [Fact]
    public async Task Stopping_waits_for_outcomes_and_then_gives_everything_back()
    {
        _queue.Script = headers => headers.First < 3 ? PublishOutcome.Acknowledged : null;
        _outlet.Start(_queue);
        Enqueue(0, 6);
        await _outlet.StopAsync(TimeSpan.FromMilliseconds(200));
        Assert.Equal(0, _context.Buffers.Rented);
        _session.Dispose();
        Assert.Equal(0, _context.Pool.Reserved);
    }

    private void Enqueue(uint from, uint to) => Enqueue(_session, from, to);

    private void Enqueue(TestSession session, uint from, uint to)
    {
        for (var n = from; n < to; n++)
        {
            _outlet.Enqueue(Admitted(session, n));
        }
    }

    private static IngestFrame Admitted(TestSession session, uint n, uint lane = 1)
    {
        var frame = session.Receive(lane, n);
        Assert.Equal(Streams.Wire.Frames.FrameError.None, session.Opener.Open(frame));
        Assert.Equal(FrameFate.Stored, FrameAdmission.Admit(frame));
        return frame;
    }
}
