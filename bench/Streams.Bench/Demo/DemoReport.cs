using System.Text.Json.Serialization;
using Streams.Checker;

namespace Streams.Bench.Demo;

/// <summary>What one demo showed; `--json` writes it as one flat object. Sizes in bytes.</summary>
internal sealed record DemoReport
{
    public required int ExecsExpected { get; init; }

    /// <summary>Marked processes with at least one row.</summary>
    public required int ExecsFound { get; init; }

    public required int ConnectsExpected { get; init; }

    /// <summary>Marked connections with at least one row.</summary>
    public required int ConnectsFound { get; init; }

    /// <summary>Rows beyond the first of a marked event, and rows of any class that are there twice under one batch and row number.</summary>
    public required long Duplicates { get; init; }

    /// <summary>Sum over agent, class and CPU of |stamped - rows - counted losses| at a barrier after the workload.</summary>
    public required long LedgerDifference { get; init; }

    /// <summary>Median of the last ten seconds.</summary>
    public required long AgentRssBytes { get; init; }

    public required long AgentPeakRssBytes { get; init; }

    public required long AgentBinaryBytes { get; init; }

    public required double Seconds { get; init; }

    /// <summary>The checker's verdict on all rows of the agent.</summary>
    [JsonIgnore]
    public HistoryVerdict History { get; init; } = new();

    /// <summary>Why the demo failed, or null.</summary>
    [JsonIgnore]
    public string? Failure =>
        ExecsFound != ExecsExpected ? $"{ExecsExpected - ExecsFound} of {ExecsExpected} marked processes have no row"
        : ConnectsFound != ConnectsExpected ? $"{ConnectsExpected - ConnectsFound} of {ConnectsExpected} marked connections have no row"
        : Duplicates != 0 ? $"{Duplicates} rows are there more than once"
        : LedgerDifference != 0 ? $"the ledger does not balance: {LedgerDifference} events are neither a row nor a counted loss"
        : !History.Clean ? $"the history is not clean: {History}"
        : null;
}
