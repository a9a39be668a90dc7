using Streams.Agent.Modules.Observability.Shedding;

namespace Streams.Agent.Tests.Shedding;

public sealed class SheddingControllerTests
{
    private readonly ManualClock _clock = new();
    private readonly SheddingController _controller;

    public SheddingControllerTests() => _controller = new SheddingController(_clock);

    [Fact]
    public void It_rises_a_level_a_second_to_the_highest_and_falls_as_slowly()
    {
        Assert.Equal([1, 2, 3, 4, 4, 4], Seconds(6, 1));
        Assert.Equal([3, 2, 1, 0, 0], Seconds(5, 0.1));
    }

    [Theory]
    [InlineData(0.79, 0)]
    [InlineData(0.8, 1)]
    public void It_rises_at_80_percent(double pressure, int level)
    {
        Pass(1, pressure);
        Assert.Equal(level, _controller.Level);
    }

    [Theory]
    [InlineData(0.61, 2)]
    [InlineData(0.6, 1)]
    public void It_falls_at_60_percent_and_stays_between(double pressure, int level)
    {
        Seconds(2, 1);
        Pass(1, pressure);
        Assert.Equal(level, _controller.Level);
        Pass(1, 0.79);
        Assert.Equal(level, _controller.Level);
    }

    [Fact]
    public void A_moment_of_a_full_ring_sheds_nothing()
    {
        Pass(0.4, 0.1);
        Pass(0.2, 1);
        Pass(0.4, 0.1);
        Assert.Equal(0, _controller.Level);
        Assert.Equal(0.28, _controller.Mean, 6);
    }

    [Fact]
    public void A_reading_counts_for_the_time_since_the_one_before()
    {
        // Many readings in a short time weigh no more than their time.
        for (var i = 0; i < 100; i++)
            Pass(0.001, 1);
        Pass(0.9, 0.2);
        Assert.Equal(0.28, _controller.Mean, 6);
    }

    [Fact]
    public void It_says_when_the_level_changed_and_only_then()
    {
        _clock.Pass(TimeSpan.FromSeconds(1));
        Assert.True(_controller.Observe(1));
        Assert.False(_controller.Observe(1));
        _clock.Pass(TimeSpan.FromSeconds(1));
        Assert.False(_controller.Observe(0.7));
        // A second in which nobody looked is one step too, not many.
        _clock.Pass(TimeSpan.FromSeconds(60));
        Assert.True(_controller.Observe(1));
        Assert.Equal(2, _controller.Level);
    }

    [Fact]
    public void Setting_the_wall_clock_changes_nothing()
    {
        _clock.Pass(TimeSpan.FromMilliseconds(500));
        _clock.SetWall(new DateTimeOffset(2106, 1, 1, 0, 0, 0, TimeSpan.Zero));
        Assert.False(_controller.Observe(1));
        Assert.Equal(0, _controller.Level);
    }

    [Fact]
    public void The_highest_pressure_counts_and_is_named()
    {
        Assert.Equal((0.9, "ring"), Of(0.9, 0.2, 0.3));
        Assert.Equal((0.9, "spool"), Of(0.1, 0.9, 0.3));
        Assert.Equal((0.9, "cpu"), Of(0.1, 0.2, 0.9));

        static (double, string) Of(double ring, double spool, double cpu)
        {
            var pressure = new Pressure(ring, spool, cpu);
            return (pressure.Highest, pressure.Name);
        }
    }

    [Fact]
    public void Cpu_time_is_a_share_of_what_is_allowed_over_the_last_second()
    {
        var used = TimeSpan.FromSeconds(7);
        var gauge = new CpuGauge(50, _clock, () => used);
        Assert.Equal(0, gauge.Read());
        used += TimeSpan.FromMilliseconds(250);
        _clock.Pass(TimeSpan.FromMilliseconds(500));
        Assert.Equal(0, gauge.Read());
        _clock.Pass(TimeSpan.FromMilliseconds(500));
        Assert.Equal(0.5, gauge.Read(), 6);
        used += TimeSpan.FromSeconds(2);
        _clock.Pass(TimeSpan.FromSeconds(2));
        Assert.Equal(2, gauge.Read(), 6);
    }

    // The level after each second.
    private int[] Seconds(int count, double pressure) => [.. Enumerable.Range(0, count).Select(_ =>
    {
        for (var i = 0; i < 10; i++)
            Pass(0.1, pressure);
        return _controller.Level;
    })];

    private void Pass(double seconds, double pressure)
    {
        _clock.Pass(TimeSpan.FromSeconds(seconds));
        _controller.Observe(pressure);
    }
}
