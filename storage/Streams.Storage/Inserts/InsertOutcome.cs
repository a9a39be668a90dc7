namespace Streams.Storage;

/// <summary>What is known after an insert was tried.</summary>
public enum InsertOutcome
{
    /// <summary>First success, as many rows written as sent: the only evidence that needs no read-back.</summary>
    Ok,

    /// <summary>Not stored, and the same block may be sent again later.</summary>
    Retry,

    /// <summary>Not stored, and this block never will be: halve it until the batch at fault is alone.</summary>
    Split,

    /// <summary>Not stored, and nothing will be until someone acts (table, rights): stop and say so.</summary>
    Stop,

    /// <summary>Nobody knows: kill it, read back, and only then decide.</summary>
    InDoubt,
}
