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
}
