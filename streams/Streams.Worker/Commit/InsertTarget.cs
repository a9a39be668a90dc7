using Streams.Schema;
using Streams.Storage;

namespace Streams.Worker.Commit;

/// <summary>
/// Where a block goes: the table of a class, the dead letters, or the loss ledger (neither). One day, so that a block is one part.
/// </summary>
/// <param name="Revision">1 for batches that are re-driven: they go in blocks of their own.</param>
internal sealed record InsertTarget(EventClass? Class, int Day, bool IsDeadLetter = false, byte Revision = 0)
{
    /// <summary>True for the commit record.</summary>
    public bool IsLedger => Class is null && !IsDeadLetter;

    public string Table => Class?.Name ?? (IsDeadLetter ? DeadLetterTable.Name : LedgerTable.Name);
}
