using Streams.Bench.Watching;

namespace Streams.Bench.Reports;

/// <summary>The charts of a report, from its samples.</summary>
internal static class Charts
{
    /// <returns>File name, title, SVG.</returns>
    public static IEnumerable<(string File, string Title, string Svg)> Of(CaseReport report)
    {
        var samples = report.Samples.Where(static sample => sample.Seconds >= 0).ToList();
        if (samples.Count < 2)
        {
            yield break;
        }

        yield return Chart("rows", "Rows a second", "rows/s",
            new SvgLine("offered", Rate(samples, static sample => sample.Offered)),
            new SvgLine("taken by agents", Rate(samples, static sample => sample.Accepted)),
            new SvgLine("in tables", Rate(samples, static sample => sample.Rows)));
        var names = samples.SelectMany(static sample => sample.Cpu.Keys).Distinct().Order().ToList();
        yield return Chart("cpu", "CPU by process", "cores",
            [.. names.Select(name => new SvgLine(name, Rate(samples, sample => sample.Cpu.GetValueOrDefault(name, double.NaN))))]);
        yield return Chart("memory", "Resident memory by process", "bytes",
            [.. names.Select(name => new SvgLine(name, Level(samples, sample => sample.Resident.GetValueOrDefault(name))))]);
        yield return Chart("parts", "Parts and merges", "parts",
            new SvgLine("active parts", Level(samples, static sample => sample.ActiveParts)),
            new SvgLine("merges running", Level(samples, static sample => sample.RunningMerges)));
        yield return Chart("behind", "Oldest due batch that is not taken", "seconds behind",
            new SvgLine("behind", Level(samples, static sample => sample.BehindSeconds)));
    }

    private static (string File, string Title, string Svg) Chart(string name, string title, string unit, params SvgLine[] lines) =>
        (name + ".svg", title, SvgChart.Write(title, unit, lines));

    private static List<(double X, double Y)> Level(List<Sample> samples, Func<Sample, double> value) =>
        [.. samples.Select(sample => (sample.Seconds, value(sample)))];

    // A process that was not there at one end of an interval has no rate in it; merges can take rows of parts away for a moment, which is no rate either.
    private static List<(double X, double Y)> Rate(List<Sample> samples, Func<Sample, double> value) =>
        [.. samples.Zip(samples.Skip(1), (before, after) => (after.Seconds, (value(after) - value(before)) / Math.Max(0.001, after.Seconds - before.Seconds)))
            .Where(static point => !double.IsNaN(point.Item2))];
}
