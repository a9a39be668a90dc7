using System.Diagnostics;

namespace Streams.Bench.Reports;

/// <summary>How quiet the machine was: the same work again and again before and after the run. Work of others shows in the spread, a slower clock in the change.</summary>
/// <param name="MedianMs">Median time of one turn.</param>
/// <param name="Spread">(90 % - 10 %) / median: 0 on a machine that does nothing else.</param>
internal sealed record Noise(double MedianMs, double Spread)
{
    private const int Turns = 25;
    private const int Steps = 20_000_000;

    /// <summary>Takes half a second of one core.</summary>
    public static Noise Measure()
    {
        Spin(Steps);
        var times = new double[Turns];
        for (var i = 0; i < Turns; i++)
        {
            var start = Stopwatch.GetTimestamp();
            Spin(Steps);
            times[i] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }

        return Of(times);
    }

    public static Noise Of(double[] times)
    {
        var median = Statistics.Quantile(times, 0.5);
        return new Noise(median, (Statistics.Quantile(times, 0.9) - Statistics.Quantile(times, 0.1)) / median);
    }

    // A chain of dependent steps: neither memory nor the number of cores matters.
    private static ulong Spin(int steps)
    {
        var value = 0x9E3779B97F4A7C15UL;
        for (var i = 0; i < steps; i++)
        {
            value ^= value << 13;
            value ^= value >> 7;
            value ^= value << 17;
        }

        return Volatile.Read(ref value);
    }
}
