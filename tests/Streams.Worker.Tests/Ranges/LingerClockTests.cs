using Streams.Worker.Ranges;
using Streams.Worker.Tests.Fakes;

namespace Streams.Worker.Tests.Ranges;

public sealed class LingerClockTests
{
    private readonly ManualClock _clock = new();

    [Fact]
    public void Few_tables_linger_shortest() =>
        Assert.Equal(TimeSpan.FromMilliseconds(200), Settled(parts: 1).Current);

    [Fact]
    public void Many_tables_linger_so_long_that_the_budget_of_parts_holds() =>
        Assert.InRange(9 / Settled(parts: 9).Current.TotalSeconds, 9.5, 10.5);

    [Fact]
    public void It_never_lingers_longer_than_the_bound() =>
        Assert.Equal(TimeSpan.FromSeconds(2), Settled(parts: 100).Current);

    [Fact]
    public void Ranges_opened_at_different_moments_close_together()
    {
        var linger = Settled(parts: 2);
        _clock.Advance(TimeSpan.FromMilliseconds(1010));
        var first = linger.NextTick();
        _clock.Advance(TimeSpan.FromMilliseconds(120));
        Assert.Equal(first, linger.NextTick());
        Assert.Equal(TimeSpan.FromMilliseconds(70), linger.Until(first));
        _clock.Advance(TimeSpan.FromMilliseconds(70));
        Assert.Equal(TimeSpan.Zero, linger.Until(first));
        Assert.True(linger.NextTick() > first);
    }

    [Fact]
    public void Alerts_close_ranges_soon_and_together_and_no_more_than_four_times_a_second()
    {
        var linger = Settled(parts: 20);
        var start = _clock.GetTimestamp();
        var first = linger.NextAlertTick();
        Assert.Equal(LingerClock.AlertLinger, linger.Until(first));
        _clock.Advance(TimeSpan.FromMilliseconds(20));
        Assert.Equal(first, linger.NextAlertTick());

        var closings = new HashSet<long>();
        for (var ms = 0; ms < 10_000; ms += 5)
        {
            closings.Add(linger.NextAlertTick());
            _clock.Advance(TimeSpan.FromMilliseconds(5));
        }

        var times = closings.Order().ToList();
        Assert.InRange(closings.Count, 38, 41);
        Assert.All(times.Zip(times.Skip(1)), pair => Assert.InRange(_clock.GetElapsedTime(pair.First, pair.Second), LingerClock.AlertPause, LingerClock.AlertPause * 1.2));
        Assert.True(_clock.GetElapsedTime(start, first) == LingerClock.AlertLinger);
    }

    private LingerClock Settled(int parts)
    {
        var linger = new LingerClock(_clock, TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(2));
        for (var i = 0; i < 200; i++)
        {
            linger.Observe(parts);
        }

        return linger;
    }
}
