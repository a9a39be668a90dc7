using Streams.Queue;
using Streams.Worker.Admission;
using Streams.Worker.Commit;
using Streams.Worker.Tests.Fakes;

namespace Streams.Worker.Tests.Commit;

public sealed class WatermarksTests
{
    private static readonly Streams.Schema.Epoch Epoch = Batches.EpochOf(7);

    private readonly ManualClock _clock = new();
    private readonly Watermarks _marks;

    public WatermarksTests() => _marks = new Watermarks(_clock, LaneMemory.For(30));

    [Fact]
    public void A_lane_is_forgotten_when_its_rows_have_expired_and_not_while_it_moves()
    {
        _marks.Restore(Lane(1), Epoch, 9);
        _marks.Restore(Lane(2), Epoch, 4);
        for (var day = 0; day < 32; day++)
        {
            Assert.Equal(2, _marks.Lanes);
            _clock.Advance(TimeSpan.FromDays(1));
            _marks.Advance(Lane(2), Epoch, 5 + (uint)day);
            Taken();
        }

        Assert.Equal(1, _marks.Lanes);
        Assert.Equal(2u, Assert.Single(Answered("agent-1")).Lane);
    }

    [Fact]
    public void Deltas_are_coalesced_and_taken_once()
    {
        _marks.Advance(Lane(1), Epoch, 1);
        _marks.Advance(Lane(1), Epoch, 5);
        _marks.Advance(Lane(2), Epoch, 3);
        Assert.Equal([(1u, 5u), (2u, 3u)], Taken().Select(mark => (mark.Lane, mark.N)).Order());
        Assert.Empty(Taken());
    }

    [Fact]
    public void What_recovery_restored_is_answered_but_not_announced()
    {
        _marks.Restore(Lane(1), Epoch, 9);
        Assert.Empty(Taken());
        Assert.Equal(new FlowRecord(FlowKind.Watermark, "agent-1", Epoch, 1, 9), Assert.Single(Answered("agent-1")));
        Assert.Empty(Answered("agent-2"));
    }

    [Fact]
    public void A_duplicate_repeats_the_mark_and_does_not_lower_it()
    {
        _marks.Advance(Lane(1), Epoch, 5);
        Taken();
        _marks.Repeat(Lane(1), Epoch);
        Assert.Equal(5u, Assert.Single(Taken()).N);
    }

    [Fact]
    public void A_rewind_is_told_once_after_the_deltas()
    {
        _marks.Rewind(Lane(1), Epoch, 4);
        _marks.Advance(Lane(1), Epoch, 4);
        Assert.Equal([FlowKind.Watermark, FlowKind.Rewind], Taken().Select(mark => mark.Kind));
        Assert.Empty(Taken());
    }

    [Fact]
    public void An_answer_of_a_reader_that_has_caught_up_says_where_idle_lanes_go_on()
    {
        _marks.Restore(Lane(1), Epoch, 5);
        _marks.Admit(Lane(2), Epoch, 3);
        _marks.Advance(Lane(2), Epoch, 2);
        _marks.Restore(Lane(3), Epoch, 7);
        _marks.Hold(Lane(3), Epoch, 7);
        Assert.DoesNotContain(Answered("agent-1"), mark => mark.Kind == FlowKind.Rewind);
        Assert.Equal([(1u, 5u)], Rewound());
        _clock.Advance(Watermarks.Idle);
        Assert.Equal([(1u, 5u), (2u, 3u)], Rewound());
        _marks.Admit(Lane(3), Epoch, 8);
        _clock.Advance(Watermarks.Idle);
        Assert.Contains((3u, 8u), Rewound());

        List<(uint, uint)> Rewound()
        {
            var marks = new List<FlowRecord>();
            _marks.Answer("agent-1", marks, caughtUp: true);
            return [.. marks.Where(mark => mark.Kind == FlowKind.Rewind).Select(mark => (mark.Lane, mark.N))];
        }
    }

    [Fact]
    public void An_answer_names_the_lanes_that_moved_last()
    {
        for (uint lane = 0; lane < Watermarks.AnswerLimit + 10; lane++)
        {
            _marks.Restore(Lane(lane), Epoch, 1);
        }

        _marks.Advance(Lane(0), Epoch, 2);
        var answer = Answered("agent-1");
        Assert.Equal(Watermarks.AnswerLimit, answer.Count);
        Assert.Equal(0u, answer[0].Lane);
        Assert.DoesNotContain(answer, mark => mark.Lane == 1);
    }

    private static LaneKey Lane(uint lane) => new("agent-1", Epoch.Prefix, lane);

    private List<FlowRecord> Taken()
    {
        var marks = new List<FlowRecord>();
        _marks.Take(marks);
        return marks;
    }

    private List<FlowRecord> Answered(string agent)
    {
        var marks = new List<FlowRecord>();
        _marks.Answer(agent, marks);
        return marks;
    }
}
