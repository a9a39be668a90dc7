using System.Globalization;

namespace Streams.Bench.Reports;

/// <summary>The short form, at the end of a run.</summary>
internal static class ConsoleReport
{
    public static void Print(CaseReport report)
    {
        Console.WriteLine();
        foreach (var (key, meaning) in ReportKeys.All)
        {
            if (report.Values.TryGetValue(key, out var value))
            {
                var gate = report.Case.Gates.FirstOrDefault(gate => gate.Key == key);
                var verdict = gate is null ? "" : $"  {(gate.Holds(value) ? "holds" : "MISSES")} {gate.Text}";
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{key,-42} {value,18:#,0.###} {meaning.Unit}{verdict}"));
            }
        }

        foreach (var (name, p95, count) in report.Queries)
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{$"query_{name}_p95_ms",-42} {p95,18:#,0.###} ms, {count} times"));
        }

        Console.WriteLine(MarkdownReport.NoiseOf(report));
        if (report.Partial is { } partial)
        {
            Console.WriteLine($"PARTIAL: {partial}");
        }
    }
}
