namespace Streams.Bench.Reports;

/// <summary>The little statistics that reports need.</summary>
internal static class Statistics
{
    private const int Resamples = 10_000;
    private const int Seed = 1;
    private const double Low = 0.025;
    private const double High = 0.975;

    /// <summary>Linear between the two nearest values.</summary>
    /// <param name="q">0 to 1.</param>
    public static double Quantile(IEnumerable<double> values, double q)
    {
        var sorted = values.Order().ToArray();
        var position = q * (sorted.Length - 1);
        var below = (int)position;
        var above = Math.Min(below + 1, sorted.Length - 1);
        return sorted[below] + ((position - below) * (sorted[above] - sorted[below]));
    }

    /// <summary>95 % interval of mean(b) / mean(a) by bootstrap: both drawn again with replacement. Null with fewer than three runs on a side: nothing can be said.</summary>
    public static (double Low, double High)? RatioInterval(IReadOnlyList<double> a, IReadOnlyList<double> b)
    {
        if (a.Count < 3 || b.Count < 3)
        {
            return null;
        }

        // The same runs give the same interval.
        var random = new Random(Seed);
        var ratios = new double[Resamples];
        for (var i = 0; i < Resamples; i++)
        {
            ratios[i] = MeanOfResample(b, random) / MeanOfResample(a, random);
        }

        return (Quantile(ratios, Low), Quantile(ratios, High));
    }

    private static double MeanOfResample(IReadOnlyList<double> values, Random random)
    {
        var sum = 0.0;
        for (var i = 0; i < values.Count; i++)
        {
            sum += values[random.Next(values.Count)];
        }

        return sum / values.Count;
    }
}
