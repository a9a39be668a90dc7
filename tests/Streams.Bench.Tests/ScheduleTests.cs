using Streams.Bench.Load;

namespace Streams.Bench.Tests;

public sealed class ScheduleTests
{
    [Fact]
    public void A_steady_rate_has_even_due_times()
    {
        var due = Walk([new Segment(10, 1000, 1000)], 0, 1, 100);
        Assert.Equal(100, due.Count);
        Assert.All(due.Zip(due.Skip(1)), pair => Assert.Equal(0.1, pair.Second - pair.First, 6));
    }

    [Fact]
    public void All_agents_together_have_the_rate_of_the_segment()
    {
        Segment[] segments = [new Segment(4, 100, 900), new Segment(6, 900, 900), new Segment(5, 900, 100)];
        var events = segments.Sum(segment => segment.Events);
        var rows = new DueRows(segments, 0, 7, 7, 10);
        Assert.InRange(rows.Total, events - (7 * 10), events);
        // A quarter of the ramp's time has a quarter of its mean increase.
        Assert.InRange(rows.At(4), segments[0].Events - 70, segments[0].Events);
        Assert.Equal(0, rows.At(0));
        Assert.Equal(rows.Total, rows.At(15));
        Assert.Equal(rows.Total, Enumerable.Range(0, 7).Sum(agent => AgentSchedule.Batches(segments, agent, 7, 10) * 10));
    }

    [Theory]
    [InlineData(100, 900)]
    [InlineData(900, 100)]
    [InlineData(500, 500)]
    public void Time_is_the_inverse_of_the_integral_of_the_rate(double from, double to)
    {
        var segment = new Segment(8, from, to);
        for (var t = 0.0; t <= 8; t += 0.5)
        {
            var events = (from * t) + ((to - from) * t * t / 16);
            Assert.Equal(t, segment.TimeOf(events), 6);
        }
    }

    [Fact]
    public void Due_times_only_rise_and_stay_inside()
    {
        Segment[] segments = [new Segment(3, 50, 500), new Segment(2, 5, 5), new Segment(3, 500, 50, 0.5)];
        for (var agent = 0; agent < 5; agent++)
        {
            var due = Walk(segments, agent, 5, 7);
            Assert.All(due.Zip(due.Skip(1)), pair => Assert.True(pair.Second >= pair.First));
            Assert.All(due, time => Assert.InRange(time, 0, 8));
        }
    }

    [Fact]
    public void A_hot_agent_has_its_share()
    {
        Segment[] segments = [new Segment(10, 1000, 1000, 0.5)];
        Assert.InRange(Walk(segments, 0, 101, 10).Count, 499, 500);
        Assert.Equal(50, Walk(segments, 7, 101, 1).Count, 1.0);
    }

    [Fact]
    public void Agents_are_out_of_step()
    {
        Segment[] segments = [new Segment(10, 1000, 1000)];
        var firsts = Enumerable.Range(0, 10).Select(agent => Walk(segments, agent, 10, 100)[0]).ToList();
        Assert.Equal(10, firsts.Distinct().Count());
        Assert.InRange(firsts.Max() - firsts.Min(), 0.5, 1);
    }

    private static List<double> Walk(Segment[] segments, int agent, int agents, int rows)
    {
        var schedule = new AgentSchedule(segments, agent, agents, rows);
        var times = new List<double>();
        for (var due = schedule.Next(); !double.IsPositiveInfinity(due); due = schedule.Next())
        {
            times.Add(due);
        }

        return times;
    }
}
