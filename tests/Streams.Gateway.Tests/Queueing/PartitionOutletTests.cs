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
    private readonly PartitionOutlet _outlet;
    private readonly ScriptedQueue _queue;
    private readonly TestSession _session;

    public PartitionOutletTests()
    {
        _context = TestSession.NewContext(_metrics);
        _outlet = new PartitionOutlet(0, _metrics);
        _queue = new ScriptedQueue(_outlet);
        _session = new TestSession(_context, new KeyArena(64));
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

    private void Enqueue(uint from, uint to)
    {
        for (var n = from; n < to; n++)
        {
            var frame = _session.Receive(1, n);
            Assert.Equal(Streams.Wire.Frames.FrameError.None, _session.Opener.Open(frame));
            Assert.Equal(FrameFate.Stored, FrameAdmission.Admit(frame));
            _outlet.Enqueue(frame);
        }
    }
}
