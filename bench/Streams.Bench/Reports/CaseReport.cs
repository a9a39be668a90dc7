using Streams.Bench.Cases;
using Streams.Bench.Watching;

namespace Streams.Bench.Reports;

/// <summary>What one run of a case showed. What was not measured is not there.</summary>
internal sealed record CaseReport
{
    public required CaseDefinition Case { get; init; }

    public required DateTimeOffset At { get; init; }

    /// <summary>Why the run did not come to its end; null when it did.</summary>
    public string? Partial { get; init; }

    /// <summary>By key of <see cref="ReportKeys"/>.</summary>
    public required IReadOnlyDictionary<string, double> Values { get; init; }

    /// <summary>p95 in ms of each of the five queries, and how often it ran.</summary>
    public IReadOnlyList<(string Name, double P95, long Count)> Queries { get; init; } = [];

    public required Machine Machine { get; init; }

    public required Noise Before { get; init; }

    public Noise? After { get; init; }

    public required IReadOnlyList<Sample> Samples { get; init; }

    /// <summary>What does not hold, one line each: rows first, then gates.</summary>
    public IReadOnlyList<string> Misses()
    {
        var misses = new List<string>();
        foreach (var key in new[] { ReportKeys.Lost, ReportKeys.Doubled })
        {
            if (Values.TryGetValue(key, out var count) && count != 0)
            {
                misses.Add(FormattableString.Invariant($"{key} is {count:0}, must be 0"));
            }
        }

        foreach (var gate in Case.Gates)
        {
            if (!Values.TryGetValue(gate.Key, out var value))
            {
                misses.Add($"{gate.Key} was not measured, its gate is {gate.Text}");
            }
            else if (!gate.Holds(value))
            {
                misses.Add(FormattableString.Invariant($"{gate.Key} is {value:0.###}, its gate is {gate.Text}"));
            }
        }

        return misses;
    }
}
