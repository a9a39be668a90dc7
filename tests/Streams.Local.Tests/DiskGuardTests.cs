namespace Streams.Local.Tests;

public sealed class DiskGuardTests
{
    [Fact]
    public void Low_below_the_floor_and_not_before_a_quarter_more_is_free()
    {
        var free = 100L;
        var guard = new DiskGuard(() => (free, 1000), floor: 100);
        Assert.False(guard.Look());
        free = 99;
        Assert.True(guard.Look());
        Assert.True(guard.IsLow);
        free = 124;
        Assert.False(guard.Look());
        free = 125;
        Assert.True(guard.Look());
        Assert.False(guard.IsLow);
        Assert.Equal(1, guard.Alarms);
    }

    [Theory]
    [InlineData(100L << 30, 1L << 30)]
    [InlineData(1L << 30, (1L << 30) / 20)]
    public void Default_floor_is_the_smaller_of_one_gibibyte_and_a_twentieth(long size, long floor)
    {
        var free = floor;
        var guard = new DiskGuard(() => (free, size));
        Assert.False(guard.Look());
        free--;
        Assert.True(guard.Look());
    }

    [Fact]
    public void Servers_must_recover_once_after_the_disk_was_full_and_not_after_it_was_only_low()
    {
        var free = 500L;
        var guard = new DiskGuard(() => (free, 1000), floor: 80);
        void Look(long now)
        {
            free = now;
            guard.Look();
        }

        Look(10);
        Look(500);
        Assert.False(guard.MustRecover());
        Look(9);
        Assert.False(guard.MustRecover());
        Look(500);
        Assert.True(guard.MustRecover());
        guard.Recovered();
        Assert.False(guard.MustRecover());
        Look(0);
        Look(500);
        Assert.True(guard.MustRecover());
    }

    [Fact]
    public void A_refused_write_counts_without_a_look_and_not_again_within_five_minutes()
    {
        var time = new FakeTime();
        var guard = new DiskGuard(() => (500, 1000), floor: 80, time);
        guard.Look();
        Assert.False(guard.MustRecover());
        guard.Refused();
        Assert.True(guard.MustRecover());
        guard.Recovered();
        guard.Refused();
        Assert.False(guard.MustRecover());
        time.Now += TimeSpan.FromMinutes(5).Ticks;
        Assert.True(guard.MustRecover());
    }

    private sealed class FakeTime : TimeProvider
    {
        public long Now { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now;
    }
}
