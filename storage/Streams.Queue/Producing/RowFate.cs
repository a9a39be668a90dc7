namespace Streams.Queue.Producing;

/// <summary>What became of a message of rows.</summary>
internal enum RowFate : byte
{
    /// <summary>Stored, and the ledger has it.</summary>
    Committed,

    /// <summary>The queue has it not: to be sent again under its name.</summary>
    Lost,

    /// <summary>The worker does not know the batches before it any more.</summary>
    Forgotten,
}
