using System.Globalization;
using System.Text;

namespace Streams.Bench.Reports;

/// <summary>A report for people: a folder with report.md and its charts.</summary>
internal static class MarkdownReport
{
    public static void WriteFolder(string folder, CaseReport report)
    {
        Directory.CreateDirectory(folder);
        var charts = Charts.Of(report).ToList();
        foreach (var (file, _, svg) in charts)
        {
            File.WriteAllText(Path.Combine(folder, file), svg);
        }

        File.WriteAllText(Path.Combine(folder, "report.md"), Of(report, [.. charts.Select(static chart => (chart.File, chart.Title))]));
    }

    public static string Of(CaseReport report, IReadOnlyList<(string File, string Title)> charts)
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"# {report.Case.Name}: {report.Case.Title}").AppendLine();
        if (report.Partial is { } partial)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"**Partial: {partial}.** What follows was measured until then; what is missing was not.").AppendLine();
        }

        var machine = report.Machine;
        text.AppendLine(CultureInfo.InvariantCulture, $"{report.At:yyyy-MM-dd HH:mm} UTC on {machine.Cpu}, {machine.Cores} cores, {machine.MemoryBytes / 1e9:0.#} GB, Linux {machine.Kernel}, {machine.Runtime}. {NoiseOf(report)}").AppendLine();
        var mix = report.Case.Mix;
        text.AppendLine(CultureInfo.InvariantCulture, $"Load: {report.Case.Agents:N0} agents in {report.Case.Processes} process(es), {mix.BatchRows:N0} rows a batch, {report.Case.Seconds:0.#} s, seed {mix.Seed}. Repeat it with `./justw bench {report.Case.Name}`.").AppendLine();
        text.AppendLine("| key | value | unit | gate | aim | what |").AppendLine("|---|---:|---|---|---|---|");
        foreach (var (key, meaning) in ReportKeys.All)
        {
            if (report.Values.TryGetValue(key, out var value))
            {
                var gate = report.Case.Gates.FirstOrDefault(gate => gate.Key == key);
                text.AppendLine(CultureInfo.InvariantCulture, $"| `{key}` | {value:#,0.###} | {meaning.Unit} | {GateOf(gate, value)} | {AimOf(gate, value)} | {meaning.Meaning} |");
            }
        }

        foreach (var (name, p95, count) in report.Queries)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"| `query_{name}_p95_ms` | {p95:0.#} | ms |  |  | {count} times |");
        }

        foreach (var (file, title) in charts)
        {
            text.AppendLine().AppendLine(CultureInfo.InvariantCulture, $"![{title}]({file})");
        }

        return text.ToString();
    }

    public static string NoiseOf(CaseReport report) => string.Create(
        CultureInfo.InvariantCulture,
        $"Noise: the same spin spread by {report.Before.Spread:P0} before{(report.After is { } after ? $", {after.Spread:P0} after, and took {after.MedianMs / report.Before.MedianMs:0.00} times as long" : "")}.");

    private static string GateOf(Cases.Gate? gate, double value) => gate is null ? "" : $"{gate.Text}{(gate.Holds(value) ? "" : " **missed**")}";

    private static string AimOf(Cases.Gate? gate, double value) => gate?.Aim is not { } aim ? "" : string.Create(CultureInfo.InvariantCulture, $"{aim:#,0.###}{(gate.Reaches(value) ? " reached" : "")}");
}
