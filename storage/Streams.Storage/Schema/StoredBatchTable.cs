namespace Streams.Storage;

/// <summary>
/// <c>stored_batch</c>: batches that a recovery found in a table without their ledger rows. The search goes back a bounded time; with this
/// note the next recovery knows them however long their agent is away. A batch that was committed since does not count any more.
/// </summary>
public static class StoredBatchTable
{
    public const string Name = "stored_batch";

    public static TableDefinition Definition { get; } = new()
    {
        Name = Name,
        Columns =
        [
            new("agent_id", "LowCardinality(String)", "", "the authenticated agent"),
            new("received_at", "DateTime64(6, 'UTC')", "", "when it was noted; named for the retention, which is that of the rows"),
            new("epoch", "UInt64", "", "first 8 bytes of the epoch in the batch's name"),
            new("lane", "UInt32", "", "lane in the batch's name"),
            new("batch", "UInt32", "", "number in the batch's name"),
            new("in_table", "LowCardinality(String)", "", "where its rows, or its dead letter, are"),
        ],
        PartitionBy = "toYYYYMM(received_at)",
        OrderBy = "agent_id, epoch, lane, batch",
        Comment = "Batches found stored without ledger rows: their rows must not be inserted again.",
    };
}
