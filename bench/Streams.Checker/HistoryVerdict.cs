namespace Streams.Checker;

/// <summary>What the tables say about an agent's history. All four counts are 0 when the promises were kept.</summary>
public sealed record HistoryVerdict
{
    /// <summary>Rows that the ledger says are stored and the tables do not have, and numbers missing inside a lane.</summary>
    public long Lost { get; init; }

    /// <summary>Rows (and ledger rows) that are there more than once under one name.</summary>
    public long Doubled { get; init; }

    /// <summary>Rows whose sequence number is not above that of the row before them in their lane, class and CPU.</summary>
    public long Reordered { get; init; }

    /// <summary>Stamped rows that are neither in a table nor counted as lost by a cause (or more than were stamped).</summary>
    public long Unaccounted { get; init; }

    /// <summary>Rows in tables whose batch has no ledger rows: stored and not yet committed.</summary>
    public long Uncommitted { get; init; }

    /// <summary>Distinct rows found.</summary>
    public long Rows { get; init; }

    /// <summary>Batches in the ledger.</summary>
    public long Batches { get; init; }

    /// <summary>One line per finding.</summary>
    public IReadOnlyList<string> Findings { get; init; } = [];

    /// <summary>Nothing lost, doubled, reordered or unaccounted.</summary>
    public bool Clean => (Lost, Doubled, Reordered, Unaccounted) == (0, 0, 0, 0);

    public override string ToString() =>
        $"rows {Rows}, batches {Batches}: lost {Lost}, doubled {Doubled}, reordered {Reordered}, unaccounted {Unaccounted}, "
        + $"uncommitted {Uncommitted}"
        + string.Concat(Findings.Select(finding => "\n  " + finding));
}
