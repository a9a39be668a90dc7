namespace Streams.Worker;

/// <summary>What became of a dead letter.</summary>
public enum RedriveState
{
    /// <summary>Its rows are in their table, and the ledger counts them as rows.</summary>
    Stored,

    /// <summary>They were before.</summary>
    AlreadyStored,

    /// <summary>There is no such dead letter.</summary>
    NotFound,

    /// <summary>It still cannot be stored.</summary>
    Refused,
}

/// <param name="Detail">Why it is refused; one line.</param>
public readonly record struct RedriveOutcome(RedriveState State, string Detail = "");
