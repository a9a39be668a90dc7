namespace Streams.Queue.Tests;

public sealed class GenerationTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.UnixEpoch.AddMilliseconds(5000);

    [Theory]
    [InlineData(null, 5001)]
    [InlineData(0, 5001)]
    [InlineData(7, 5001)]
    [InlineData(9000, 9001)]
    public void It_is_above_the_last_one_and_above_the_clock(int? last, ulong expected)
    {
        var record = last is { } g ? new SessionRecord((ulong)g, "g", "e", Now, "h", "a") : null;
        Assert.Equal(expected, SessionRecord.NextGeneration(record, Now));
    }

    [Fact]
    public void A_clock_before_1970_is_no_clock() =>
        Assert.Equal(1UL, SessionRecord.NextGeneration(null, DateTimeOffset.UnixEpoch.AddDays(-1)));
}
