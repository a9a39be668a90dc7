namespace Streams.Worker.Decode;

/// <summary>
/// Why a batch of an admitted message was refused and its lane is held; a bounded label of metrics. A batch whose header names it and whose
/// class is known is never refused for its content: it becomes a dead letter.
/// </summary>
internal enum Refusal : byte
{
    None,

    /// <summary>Its bytes are not even a header: nothing can be said about it in the ledger.</summary>
    Undecodable,

    /// <summary>A class, format or schema version that this build does not know: good data for a newer worker.</summary>
    Unknown,

    /// <summary>Its own header names another batch than the message promised.</summary>
    WrongName,

    /// <summary>The message ends before the batches it promised, or goes on after them.</summary>
    WrongCount,

    /// <summary>Its agent has made more dead letters than an hour allows: what is wrong with it is not cured by giving data up.</summary>
    QuotaExceeded,

    /// <summary>The table holds a part of its rows, which one insert per block cannot produce.</summary>
    PartlyStored,
}
