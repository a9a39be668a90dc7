using System.Globalization;
using Streams.Bench.Reports;

namespace Streams.Bench.Tests;

public sealed class StatisticsTests
{
    [Theory]
    [InlineData(0, 1)]
    [InlineData(0.5, 3)]
    [InlineData(0.9, 4.6)]
    [InlineData(1, 5)]
    public void Quantiles_are_linear_between_values(double q, double expected) =>
        Assert.Equal(expected, Statistics.Quantile([5, 1, 4, 2, 3], q), 9);

    [Fact]
    public void An_interval_needs_three_runs_on_each_side()
    {
        Assert.Null(Statistics.RatioInterval([1, 2], [1, 2, 3]));
        Assert.Null(Statistics.RatioInterval([1, 2, 3], [1, 2]));
    }

    [Fact]
    public void The_interval_holds_the_ratio_and_is_the_same_again()
    {
        double[] a = [100, 102, 98, 101, 99];
        double[] b = [148, 152, 150, 151, 149];
        var (low, high) = Statistics.RatioInterval(a, b)!.Value;
        Assert.InRange(1.5, low, high);
        Assert.InRange(high - low, 0.001, 0.06);
        Assert.Equal((low, high), Statistics.RatioInterval(a, b));
    }

    [Fact]
    public void Runs_that_differ_only_by_noise_do_not_differ()
    {
        var comparison = Assert.Single(Comparison.Of(Runs("k", 10, 12, 11, 9), Runs("k", 11, 10, 9, 12)));
        Assert.Equal(1, comparison.Ratio);
        Assert.False(comparison.Differs);
        Assert.True(Assert.Single(Comparison.Of(Runs("k", 10, 11, 10.5), Runs("k", 20, 21, 20.5))).Differs);
    }

    [Fact]
    public void Only_what_all_runs_have_is_compared_and_zero_has_no_ratio()
    {
        var a = Runs("lost", 0, 0, 0);
        var b = new List<IReadOnlyDictionary<string, double>>(Runs("lost", 0, 1, 0)) { new Dictionary<string, double> { ["lost"] = 0, ["new"] = 1 } };
        var comparison = Assert.Single(Comparison.Of(a, b));
        Assert.Null(comparison.Ratio);
        Assert.Null(comparison.Interval);
        Assert.Contains("lost", Comparison.Table([comparison], 3, 4));
    }

    [Fact]
    public void Noise_is_the_spread_around_the_median()
    {
        var noise = Noise.Of([.. Enumerable.Range(0, 101).Select(i => 95 + (i / 10.0))]);
        Assert.Equal(100, noise.MedianMs, 9);
        Assert.Equal(0.08, noise.Spread, 9);
        Assert.True(Noise.Measure().MedianMs > 0);
    }

    private static List<IReadOnlyDictionary<string, double>> Runs(string key, params double[] values) =>
        [.. values.Select(value => new Dictionary<string, double> { [key] = value })];

    [Fact]
    public void Tables_are_the_same_in_every_language() =>
        Assert.Contains("1,234.5", Comparison.Table([new Comparison("k", 1234.5, 1, null)], 1, 1).ToString(CultureInfo.InvariantCulture));
}
