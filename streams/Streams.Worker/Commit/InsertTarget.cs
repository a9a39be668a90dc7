using Streams.Schema;

namespace Streams.Worker.Commit;

/// <summary>Where a block goes: the table of a class, or the loss ledger (no class). One day, so that a block is one part.</summary>
internal sealed record InsertTarget(EventClass? Class, int Day)
{
    /// <summary>The table of the commit record.</summary>
    public const string LedgerTable = "loss_ledger";

    public string Table => Class?.Name ?? LedgerTable;
}
