using Streams.Gateway.Ingest;
using Streams.Gateway.Sessions;
using Streams.Queue;
using Streams.Schema;
using Streams.Wire.Messages;

namespace Streams.Gateway.Tests.Sessions;

public sealed class LaneTableTests
{
    private readonly LaneTable _lanes = new();
    private readonly Epoch _epoch = Epoch.NewRandom();
    private long _now = 1_000_000;

    [Fact]
    public void A_hole_is_told_once_then_every_five_seconds_until_the_lane_goes_on()
    {
        Assert.Equal(FrameFate.Stored, Admit(1, 0, 4).Fate);
        Assert.Equal(FrameFate.Gap, Admit(1, 6, 6).Fate);
        Assert.Equal((1U, 5U), Assert.Single(Rewinds()));
        Assert.Equal(FrameFate.Gap, Admit(1, 7, 7).Fate);
        Assert.Empty(Rewinds());
        _now += LaneTable.RepeatMilliseconds;
        Assert.Equal(FrameFate.Gap, Admit(1, 8, 8).Fate);
        Assert.Equal((1U, 5U), Assert.Single(Rewinds()));
        Assert.Equal((FrameFate.Stored, 0U), Admit(1, 5, 8));
        // It obeyed: the next hole is told at once.
        Assert.Equal(FrameFate.Gap, Admit(1, 10, 10).Fate);
        Assert.Equal((1U, 9U), Assert.Single(Rewinds()));
    }

    [Fact]
    public void A_rewind_of_the_worker_lowers_the_mark_and_begins_a_new_sending()
    {
        Admit(1, 0, 9);
        Assert.False(_lanes.Rewind(_epoch, 1, 10, _now));
        Assert.False(_lanes.Rewind(_epoch, 2, 0, _now));
        Assert.True(_lanes.Rewind(_epoch, 1, 4, _now));
        Assert.False(_lanes.Rewind(_epoch, 1, 4, _now));
        Assert.False(_lanes.IsCurrent(_epoch, 1, 0));
        Assert.Equal(FrameFate.Gap, Admit(1, 10, 11).Fate);
        Assert.Equal((1U, 4U), Assert.Single(Rewinds()));
        Assert.Equal((FrameFate.Stored, 1U), Admit(1, 4, 4));
        Assert.True(_lanes.IsCurrent(_epoch, 1, 1));
        // A lane that comes now for the first time must not use ids that it may have used before it was forgotten.
        Assert.Equal((FrameFate.Stored, 1U), Admit(2, 0, 0));
    }

    [Fact]
    public void What_is_committed_meanwhile_need_not_come_again()
    {
        Admit(1, 0, 9);
        Assert.True(_lanes.Rewind(_epoch, 1, 4, _now));
        _lanes.Commit(_epoch, 1, 8, _now);
        Assert.Equal((1U, 8U), Assert.Single(Rewinds()));
        Assert.Equal(FrameFate.Duplicate, Admit(1, 4, 7).Fate);
        Assert.Equal(FrameFate.Stored, Admit(1, 8, 8).Fate);
    }

    [Fact]
    public void A_rewind_below_what_was_committed_takes_the_watermark_back()
    {
        _lanes.Commit(_epoch, 1, 12, _now);
        Assert.True(_lanes.Rewind(_epoch, 1, 10, _now));
        Assert.Equal((1U, 10U), Assert.Single(Rewinds()));
        Assert.Equal((FrameFate.Stored, 1U), Admit(1, 10, 11));
        var marks = new LaneWatermark[4];
        Assert.Equal(1, _lanes.Write(marks, all: true));
        Assert.Equal(10U, marks[0].Committed);
    }

    [Fact]
    public void An_answer_counts_only_for_a_lane_that_was_silent_before_the_question()
    {
        Admit(1, 0, 9);
        var asked = _now + 500;
        Assert.False(_lanes.Rewind(_epoch, 1, 4, _now + 600, asked));
        Assert.True(_lanes.Rewind(_epoch, 1, 4, _now + 3000, _now + 2000));
    }

    [Fact]
    public void An_answer_that_a_watermark_has_overtaken_takes_nothing_back()
    {
        Admit(1, 0, 9);
        var asked = _now += 5000;
        _now += 100;
        _lanes.Commit(_epoch, 1, 10, _now);
        Assert.False(_lanes.Rewind(_epoch, 1, 7, _now + 1, asked));
        // Later it is no old answer: the rows are gone.
        Assert.True(_lanes.Rewind(_epoch, 1, 7, _now + 5000, _now + 5000));
    }

    [Fact]
    public void Open_lanes_that_an_answer_does_not_name_are_those_the_worker_never_saw()
    {
        Admit(1, 0, 9);
        Admit(2, 0, 9);
        Admit(3, 0, 9);
        _lanes.Commit(_epoch, 3, 10, _now);
        var mark = new FlowRecord(FlowKind.Watermark, "agent-1", _epoch, 1, 0);
        Assert.Equal((_epoch, 2U, 0U), Assert.Single(_lanes.Unnamed([FlowRecord.CaughtUp("agent-1"), mark])));
        var full = Enumerable.Range(0, FlowRecord.MaxAnswerLanes).Select(lane => mark with { Lane = (uint)lane + 100 });
        Assert.Empty(_lanes.Unnamed([.. full, FlowRecord.CaughtUp("agent-1")]));
    }

    [Fact]
    public void A_held_lane_stops_and_the_others_go_on()
    {
        Admit(1, 0, 2);
        Assert.True(_lanes.Hold(_epoch, 1, 2, _now));
        Assert.False(_lanes.Hold(_epoch, 1, 2, _now));
        Assert.Equal((1U, 2U), Assert.Single(Holds()));
        Assert.Equal(FrameFate.Held, Admit(1, 3, 3).Fate);
        Assert.Empty(Holds());
        _now += LaneTable.RepeatMilliseconds;
        Assert.Equal(FrameFate.Held, Admit(1, 3, 3).Fate);
        Assert.Equal((1U, 2U), Assert.Single(Holds()));
        Assert.Equal(FrameFate.Stored, Admit(2, 0, 0).Fate);
    }

    [Fact]
    public void Sixty_four_lanes_of_any_epochs_may_be_open_and_a_commit_makes_room()
    {
        var epochs = new[] { _epoch, Epoch.NewRandom() };
        for (uint lane = 0; lane < Wire.Limits.MaxOpenLanes; lane++)
        {
            Assert.Equal(FrameFate.Stored, _lanes.Admit(epochs[lane % 2], lane, 0, 0, _now, out _));
        }

        Assert.Equal(FrameFate.TooManyLanes, Admit(100, 0, 0).Fate);
        _lanes.Commit(epochs[0], 2, 1, _now);
        Assert.Equal(FrameFate.Stored, Admit(100, 0, 0).Fate);
    }

    [Fact]
    public void Memory_is_bounded_and_what_is_in_flight_is_never_forgotten()
    {
        Admit(1, 0, 0);
        for (uint lane = 10; lane < 5000; lane++)
        {
            _lanes.Commit(_epoch, lane, 1, _now);
            _lanes.Hold(_epoch, lane, 1, _now);
        }

        Assert.Equal(Wire.Limits.MaxWatermarks, _lanes.Count);
        Assert.Equal(FrameFate.Duplicate, Admit(1, 0, 0).Fate);
    }

    [Fact]
    public void More_than_a_message_holds_is_told_by_the_next()
    {
        for (uint lane = 0; lane < 5; lane++)
        {
            Admit(lane, 0, 9);
            _lanes.Rewind(_epoch, lane, lane, _now);
        }

        var some = new LaneWatermark[3];
        Assert.Equal(3, _lanes.TakeRewinds(some));
        Assert.True(_lanes.HasRewinds);
        Assert.Equal(2, _lanes.TakeRewinds(some));
        Assert.False(_lanes.HasOrders);
        Assert.Equal([(3U, 3U), (4U, 4U)], some[..2].Select(mark => (mark.Lane, mark.Committed)));
    }

    private (FrameFate Fate, uint Resend) Admit(uint lane, uint first, uint last) => (_lanes.Admit(_epoch, lane, first, last, _now, out var resend), resend);

    private List<(uint Lane, uint N)> Rewinds() => Take(_lanes.TakeRewinds);

    private List<(uint Lane, uint N)> Holds() => Take(_lanes.TakeHolds);

    private static List<(uint Lane, uint N)> Take(TakeOrders take)
    {
        Span<LaneWatermark> orders = new LaneWatermark[Wire.Limits.MaxOpenLanes];
        return [.. orders[..take(orders)].ToArray().Select(order => (order.Lane, order.Committed))];
    }

    private delegate int TakeOrders(Span<LaneWatermark> orders);
}
