using Streams.Bench.Cases;
using Streams.Bench.Running;
using Streams.Bench.Target;

namespace Streams.Bench.Tests;

public sealed class CappedCaseTests
{
    [Theory]
    [InlineData("ingest")]
    [InlineData("latency")]
    [InlineData("burst")]
    [InlineData("churn")]
    [InlineData("hot")]
    public void No_phase_is_faster_than_the_cap(string name)
    {
        var capped = CappedCase.Of(CaseFile.Read(CaseFolder.FileOf(name)), 5000);
        Assert.All(capped.Segments(0), segment => Assert.True(segment.From <= 5000 && segment.To <= 5000));
        Assert.False(capped.Max);
        Assert.Empty(capped.Gates);
    }

    [Fact]
    public void Slower_phases_stay_as_they_are()
    {
        var slow = CaseFile.Parse("[load]\n[[phase]]\nseconds = 5\nrate = 100", "f", "n");
        Assert.Equal(100, CappedCase.Of(slow, 5000).Segments(0)[0].From);
    }

    [Theory]
    [InlineData("overload")]
    [InlineData("query")]
    public void What_needs_a_system_of_its_own_is_refused(string name) =>
        Assert.Contains("not for --target", Assert.Throws<BenchFailure>(() => CappedCase.Of(CaseFile.Read(CaseFolder.FileOf(name)), 5000)).Message);
}
