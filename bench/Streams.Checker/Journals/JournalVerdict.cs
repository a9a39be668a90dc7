namespace Streams.Checker.Journals;

/// <summary>What the tables say about what one or several sources emitted. All counts but the first four are 0 when the promises were
/// kept.</summary>
public sealed record JournalVerdict
{
    /// <summary>Events that were emitted and taken over.</summary>
    public long Emitted { get; init; }

    /// <summary>Distinct events of the journals that are stored.</summary>
    public long Stored { get; init; }

    /// <summary>Events that a killed process had begun to emit and had not yet heard of: stored or not, both are right.</summary>
    public long InDoubt { get; init; }

    /// <summary>Events that are not stored and that the ledger counts as lost, by cause.</summary>
    public IReadOnlyDictionary<string, long> CountedLosses { get; init; } = new Dictionary<string, long>();

    /// <summary>Events that are neither stored nor counted as lost.</summary>
    public long Lost { get; init; }

    /// <summary>Events that are stored more than once, under whatever name.</summary>
    public long Doubled { get; init; }

    /// <summary>Rows whose number is not above that of the row before them in their lane.</summary>
    public long Reordered { get; init; }

    /// <summary>Rows that nobody emitted, or whose mark is not that of their number.</summary>
    public long Altered { get; init; }

    /// <summary>|emitted − stored − counted losses|, summed over the processes of the sources: what the ledger does not explain.</summary>
    public long Unaccounted { get; init; }

    /// <summary>Examples, a few lines for each finding.</summary>
    public IReadOnlyList<string> Findings { get; init; } = [];

    /// <summary>Nothing lost, doubled, reordered, altered or unaccounted.</summary>
    public bool Clean => (Lost, Doubled, Reordered, Altered, Unaccounted) == (0, 0, 0, 0, 0);

    /// <summary>Both together.</summary>
    public static JournalVerdict operator +(JournalVerdict a, JournalVerdict b) => new()
    {
        Emitted = a.Emitted + b.Emitted,
        Stored = a.Stored + b.Stored,
        InDoubt = a.InDoubt + b.InDoubt,
        CountedLosses = a.CountedLosses.Concat(b.CountedLosses).GroupBy(c => c.Key).ToDictionary(c => c.Key, c => c.Sum(v => v.Value)),
        Lost = a.Lost + b.Lost,
        Doubled = a.Doubled + b.Doubled,
        Reordered = a.Reordered + b.Reordered,
        Altered = a.Altered + b.Altered,
        Unaccounted = a.Unaccounted + b.Unaccounted,
        Findings = [.. a.Findings, .. b.Findings],
    };

    public override string ToString() =>
        $"emitted {Emitted}, stored {Stored}, in doubt {InDoubt}, counted losses {CountedLosses.Values.Sum()}"
        + $"{string.Concat(CountedLosses.OrderBy(c => c.Key).Select(c => $" {c.Key}={c.Value}"))}: "
        + $"lost {Lost}, doubled {Doubled}, reordered {Reordered}, altered {Altered}, unaccounted {Unaccounted}"
        + string.Concat(Findings.Select(finding => "\n  " + finding));
}
