using Streams.Gateway.Ingest;
using Streams.Gateway.Tests.Support;
using Streams.Wire.Frames;
using Streams.Wire.Keys;

namespace Streams.Gateway.Tests.Ingest;

public sealed class IngestFrameTests
{
    private readonly FrameContext _context = TestSession.NewContext(new GatewayMetrics());
    private readonly KeyArena _arena = new(64);

    [Fact]
    public void A_frame_that_is_settled_while_it_is_held_keeps_its_bytes_until_it_is_let_go()
    {
        using var session = new TestSession(_context, _arena);
        var frame = session.Receive(1, 0);
        var reserved = _context.Pool.Reserved;
        Assert.True(frame.TryHold());
        Assert.True(frame.TryHold());
        frame.Settle(FrameFate.GraphFailed);
        Assert.Equal((true, 1L, reserved), (frame.IsSettled, _context.Buffers.Rented, _context.Pool.Reserved));
        Assert.False(frame.Frame.IsEmpty);
        Assert.False(frame.TryHold());
        frame.Release();
        Assert.Equal(1, _context.Buffers.Rented);
        frame.Release();
        Assert.Equal((0L, reserved - frame.Length), (_context.Buffers.Rented, _context.Pool.Reserved));
        frame.Settle(FrameFate.Stopped);
        Assert.Equal((0L, reserved - frame.Length), (_context.Buffers.Rented, _context.Pool.Reserved));
    }

    [Fact]
    public void A_settled_frame_is_not_opened_and_closes_what_follows()
    {
        using var session = new TestSession(_context, _arena);
        var first = session.Receive(1, 0);
        var second = session.Receive(1, 1);
        first.Settle(FrameFate.GraphFailed);
        Assert.Equal(FrameError.Closed, session.Opener.Open(first));
        Assert.NotEqual(FrameError.None, session.Opener.Open(second));
        second.Settle(FrameFate.NotOpened);
        Assert.Equal(0, _context.Buffers.Rented);
    }

    [Fact]
    public async Task Settling_and_opening_at_the_same_time_give_back_once()
    {
        for (var i = 0; i < 500; i++)
        {
            using var session = new TestSession(_context, _arena);
            var frame = session.Receive(1, 0);
            var control = session.Seal([1], FrameType.Want);
            using var both = new Barrier(2);
            var settling = Task.Run(() =>
            {
                both.SignalAndWait();
                frame.Settle(FrameFate.GraphFailed);
            });
            both.SignalAndWait();
            session.Open(control, out _);
            await settling;
            Assert.Equal(0, _context.Buffers.Rented);
        }

        Assert.Equal((0L, 0), (_context.Pool.Reserved, _arena.Rented));
    }
}
