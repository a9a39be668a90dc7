using Streams.Bench.Watching;

namespace Streams.Bench.Tests;

public sealed class LatencyHistogramTests
{
    [Fact]
    public void Percentiles_have_three_digits()
    {
        var histogram = new LatencyHistogram();
        for (var micros = 1000; micros <= 1_000_000; micros += 1000)
        {
            histogram.Record(micros);
        }

        Assert.Equal(1000, histogram.Count);
        Assert.Equal(500, histogram.Milliseconds(50), 1.0);
        Assert.Equal(990, histogram.Milliseconds(99), 1.0);
        Assert.Equal(999, histogram.Milliseconds(99.9), 1.0);
        Assert.Equal(1000, histogram.Milliseconds(100), 1.0);
    }

    [Fact]
    public void Rows_of_a_part_count_as_many()
    {
        var histogram = new LatencyHistogram();
        histogram.Record(1000, 990);
        histogram.Record(2_000_000, 10);
        Assert.Equal(1, histogram.Milliseconds(99), 0.01);
        Assert.Equal(2000, histogram.Milliseconds(99.1), 2.0);
    }

    [Fact]
    public void What_is_out_of_range_counts_at_its_end()
    {
        var histogram = new LatencyHistogram();
        Assert.Equal(0, histogram.Milliseconds(99));
        histogram.Record(-5);
        histogram.Record(long.MaxValue);
        Assert.Equal(2, histogram.Count);
        Assert.InRange(histogram.Milliseconds(100), 599_000, 601_000);
    }
}
