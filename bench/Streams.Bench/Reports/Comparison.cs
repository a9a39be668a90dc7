using System.Globalization;
using System.Text;

namespace Streams.Bench.Reports;

/// <summary>Two sets of runs, key by key.</summary>
/// <param name="A">Mean of the first set.</param>
/// <param name="B">Mean of the second.</param>
/// <param name="Interval">95 % of B ÷ A; null with fewer than three runs on a side.</param>
internal sealed record Comparison(string Key, double A, double B, (double Low, double High)? Interval)
{
    /// <summary>B ÷ A; null when A is 0.</summary>
    public double? Ratio => A == 0 ? null : B / A;

    /// <summary>The interval leaves 1 out.</summary>
    public bool Differs => Interval is { } interval && (interval.Low > 1 || interval.High < 1);

    /// <summary>Every key that all runs of both sets have.</summary>
    public static IReadOnlyList<Comparison> Of(IReadOnlyList<IReadOnlyDictionary<string, double>> a, IReadOnlyList<IReadOnlyDictionary<string, double>> b)
    {
        var keys = a[0].Keys.Where(key => a.All(run => run.ContainsKey(key)) && b.All(run => run.ContainsKey(key)));
        return [.. keys.Select(key =>
        {
            var (ofA, ofB) = (a.Select(run => run[key]).ToArray(), b.Select(run => run[key]).ToArray());
            return new Comparison(key, ofA.Average(), ofB.Average(), ofA.Contains(0) ? null : Statistics.RatioInterval(ofA, ofB));
        })];
    }

    public static string Table(IReadOnlyList<Comparison> comparisons, int runsA, int runsB)
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"{"",-42} {$"A ({runsA} runs)",16} {$"B ({runsB} runs)",16} {"B/A",8}  95 %");
        foreach (var each in comparisons)
        {
            text.Append(CultureInfo.InvariantCulture, $"{each.Key,-42} {each.A,16:#,0.###} {each.B,16:#,0.###} ");
            text.Append(each.Ratio is { } ratio ? string.Create(CultureInfo.InvariantCulture, $"{ratio,8:0.000}") : $"{"-",8}");
            text.AppendLine(each.Interval is { } interval
                ? string.Create(CultureInfo.InvariantCulture, $"  {interval.Low:0.000} to {interval.High:0.000}{(each.Differs ? " *" : "")}") : "  -");
        }

        if (runsA < 3 || runsB < 3)
        {
            text.AppendLine("No interval: it takes three runs on each side (--runs 3).");
        }

        return text.ToString();
    }
}
