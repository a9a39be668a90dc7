using Streams.Schema;

namespace Streams.Storage;

/// <summary>
/// <c>loss_ledger</c>: one row per batch and ledger entry, inserted after the rows of the batch. A batch is committed when all of
/// its <c>entries</c> are here. It outlives the tables it speaks of.
/// </summary>
public static class LedgerTable
{
    public const string Name = "loss_ledger";

    /// <summary>
    /// Condition on the table for the rows that count: a batch that was re-driven has its entries again, under the next revision.
    /// </summary>
    public const string IsCurrent =
        "(revision > 0 OR (agent_id, epoch, lane, batch) NOT IN (SELECT agent_id, epoch, lane, batch FROM loss_ledger WHERE revision > 0))";

    /// <summary>Columns before the causes.</summary>
    private static readonly TableColumn[] Head =
    [
        new("agent_id", "LowCardinality(String)", "", "the authenticated agent"),
        new("host", "LowCardinality(String)", "", "host name of the session"),
        new("received_at", "DateTime64(6, 'UTC')", "", "when the gateway accepted the batch"),
        new("epoch", "UInt64", "", "first 8 bytes of the epoch in the batch's name"),
        new("epoch_low", "UInt64", "", "last 8 bytes of the epoch: the name must be recoverable"),
        new("lane", "UInt32", "", "lane in the batch's name"),
        new("batch", "UInt32", "", "number in the batch's name"),
        new("sensor_epoch", "UInt64", "", "first 8 bytes of the sensor instance that is counted"),
        new("class", "LowCardinality(String)", "", "class of the batch"),
        new("priority", "UInt8", "", "priority class of the batch"),
        new("catalogue", "UInt16", "", "catalogue version of the producer"),
        new("batch_rows", "UInt32", "", "rows of the batch in its table"),
        new("entry", "UInt16", "", "index of this row among the batch's entries"),
        new("entries", "UInt16", "", "entries of the batch: with all of them it is committed"),
        new("cpu", "UInt16", "", "CPU of the sequence, 65535 for user-space producers"),
        new("first", "UInt64", "", "first sequence number accounted for"),
        new("last", "UInt64", "", "last sequence number accounted for"),
        new("rows", "UInt32", "", "rows of the batch with this cpu"),
        new("revision", "UInt8", "", "0 as first committed, 1 after its dead letter was re-driven: of a batch's entry the highest counts"),
    ];

    /// <summary>Number of columns before the causes.</summary>
    public static int HeadColumns => Head.Length;

    public static TableDefinition Definition { get; } = new()
    {
        Name = Name,
        Columns = [.. Head, .. LossCauses.Names.Select(n => new TableColumn("lost_" + n, "UInt64", "", $"rows lost, cause {n}"))],
        PartitionBy = "toYYYYMM(received_at)",
        OrderBy = "agent_id, epoch, lane, batch, entry",
        Comment = "What every batch accounts for; rows + lost = last - first + 1. The commit record.",
    };
}
