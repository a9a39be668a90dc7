using Streams.Worker.Admission;
using Streams.Worker.Tests.Fakes;

namespace Streams.Worker.Tests.Admission;

public sealed class LaneAdmissionTests
{
    private readonly ManualClock _clock = new();
    private readonly LaneAdmission _admission;

    public LaneAdmissionTests() => _admission = new LaneAdmission(_clock, LaneMemory.For(30));

    [Fact]
    public void Exactly_the_next_number_is_admitted()
    {
        Assert.Equal(AdmissionKind.Accepted, _admission.Check(Head(0, 2)).Kind);
        Advance(0, 2);
        Assert.Equal(AdmissionKind.Accepted, _admission.Check(Head(2, 1)).Kind);
    }

    [Fact]
    public void A_lane_is_forgotten_when_its_rows_have_expired_and_not_while_it_is_heard_of()
    {
        Advance(0, 3);
        _admission.Restore(new LaneKey("agent-2", 9, 1), 5);
        Assert.Equal(AdmissionKind.Duplicate, _admission.Check(Head(0, 3)).Kind);
        for (var day = 0; day < 32; day++)
        {
            _clock.Advance(TimeSpan.FromDays(1));
            Assert.Equal(AdmissionKind.Duplicate, _admission.Check(Head(0, 3)).Kind);
            Assert.Equal(day < 31 ? 2 : 1, _admission.Lanes);
        }
    }

    [Fact]
    public void Below_is_a_duplicate_and_does_not_move_the_lane()
    {
        Advance(0, 3);
        Assert.Equal(new AdmissionVerdict(AdmissionKind.Duplicate, 3), _admission.Check(Head(0, 3)));
        Assert.Equal(AdmissionKind.Accepted, _admission.Check(Head(3, 1)).Kind);
    }

    [Fact]
    public void A_partly_known_message_is_admitted_without_its_first_batches()
    {
        Advance(0, 3);
        Assert.Equal(new AdmissionVerdict(AdmissionKind.Accepted, 3, Skip: 2), _admission.Check(Head(1, 5)));
    }

    [Fact]
    public void Above_is_dropped_and_asks_once_per_session_and_again_after_a_while()
    {
        Assert.True(_admission.Check(Head(5, 1)).AskAgain);
        Assert.False(_admission.Check(Head(6, 1)).AskAgain);
        Assert.True(_admission.Check(Head(7, 1, generation: 2)).AskAgain);
        Assert.False(_admission.Check(Head(8, 1, generation: 2)).AskAgain);
        _clock.Advance(LaneAdmission.RewindRepeat);
        Assert.Equal(new AdmissionVerdict(AdmissionKind.Gap, 0, AskAgain: true), _admission.Check(Head(9, 1, generation: 2)));
    }

    [Fact]
    public void A_gap_after_progress_asks_anew()
    {
        Assert.True(_admission.Check(Head(1, 1)).AskAgain);
        Advance(0, 1);
        Assert.True(_admission.Check(Head(2, 1)).AskAgain);
    }

    [Fact]
    public void A_lower_session_generation_is_dropped_even_when_its_number_is_next()
    {
        Assert.Equal(AdmissionKind.Accepted, _admission.Check(Head(0, 1, generation: 4)).Kind);
        Assert.Equal(AdmissionKind.StaleSession, _admission.Check(Head(0, 1, generation: 3)).Kind);
        Assert.Equal(AdmissionKind.Accepted, _admission.Check(Head(0, 1, generation: 3) with { AgentId = "agent-2" }).Kind);
    }

    [Fact]
    public void Behind_a_refused_batch_nothing_is_asked_and_nothing_enters_until_it_comes_again()
    {
        Advance(0, 2);
        _admission.Hold(Head(2, 1).Key, 1);
        Assert.Equal(new AdmissionVerdict(AdmissionKind.Held, 2), _admission.Check(Head(3, 1)));
        _clock.Advance(LaneAdmission.RewindRepeat);
        Assert.Equal(new AdmissionVerdict(AdmissionKind.Held, 2, AskAgain: true), _admission.Check(Head(3, 1)));
        Assert.Equal(AdmissionKind.Accepted, _admission.Check(Head(2, 1)).Kind);
        Advance(2, 1);
        Assert.Equal(AdmissionKind.Accepted, _admission.Check(Head(3, 1)).Kind);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(uint.MaxValue, 1)]
    [InlineData(5, uint.MaxValue)]
    public void Numbers_without_sense_are_malformed(uint first, uint count) =>
        Assert.Equal(AdmissionKind.Malformed, _admission.Check(Head(first, count)).Kind);

    [Fact]
    public void Recovery_never_lowers_a_lane()
    {
        Advance(0, 9);
        _admission.Restore(Head(0, 1).Key, 4);
        Assert.Equal(9u, _admission.Check(Head(0, 1)).Expected);
    }

    /// <summary>Whatever is sent, lost, doubled and reordered: what is admitted is 0, 1, 2 ... of each lane.</summary>
    [Fact]
    public void Admitted_numbers_are_gapless_whatever_arrives()
    {
        var random = new Random(20261123);
        var admitted = new Dictionary<uint, List<uint>>();
        for (var step = 0; step < 20_000; step++)
        {
            var lane = (uint)random.Next(3);
            var next = (uint)admitted.GetValueOrDefault(lane, []).Count;
            var first = (uint)Math.Max(0, (int)next + random.Next(-4, 3));
            var head = Head(first, (uint)random.Next(1, 5), lane: lane);
            var verdict = _admission.Check(head);
            for (var i = verdict.Skip; verdict.Kind == AdmissionKind.Accepted && i < head.Count; i++)
            {
                if (random.Next(20) == 0)
                {
                    _admission.Hold(head.Key, head.Generation);
                    break;
                }

                _admission.Advance(head.Key, first + i);
                (admitted.TryGetValue(lane, out var list) ? list : admitted[lane] = []).Add(first + i);
            }
        }

        Assert.All(admitted.Values, list => Assert.Equal(Enumerable.Range(0, list.Count).Select(n => (uint)n), list));
        Assert.All(admitted.Values, list => Assert.True(list.Count > 1000));
    }

    private void Advance(uint first, uint count)
    {
        for (uint i = 0; i < count; i++)
        {
            _admission.Advance(Head(first, count).Key, first + i);
        }
    }

    private static MessageHead Head(uint first, uint count, ulong generation = 1, uint lane = 1) =>
        new("agent-1", "host-1", Batches.EpochOf(7), lane, first, count, generation, Batches.Noon);
}
