namespace Streams.Storage;

/// <summary>
/// <c>dead_letter</c>: one row per batch that could not be stored, with its bytes as received, so that it can be re-driven when the cause
/// is gone. Inserted before the batch's ledger rows, which count its rows under the cause <c>dead_letter</c>.
/// </summary>
public static class DeadLetterTable
{
    public const string Name = "dead_letter";

    /// <summary>Condition on the table for the letters that were not re-driven.</summary>
    public const string IsWaiting =
        "(agent_id, epoch, lane, batch) NOT IN (SELECT agent_id, epoch, lane, batch FROM loss_ledger WHERE revision > 0)";

    public static TableDefinition Definition { get; } = new()
    {
        Name = Name,
        Columns =
        [
            new("agent_id", "LowCardinality(String)", "", "the authenticated agent"),
            new("host", "LowCardinality(String)", "", "host name of the session"),
            new("received_at", "DateTime64(6, 'UTC')", "", "when the gateway accepted the batch"),
            new("epoch", "UInt64", "", "first 8 bytes of the epoch in the batch's name"),
            new("epoch_low", "UInt64", "", "last 8 bytes of the epoch"),
            new("lane", "UInt32", "", "lane in the batch's name"),
            new("batch", "UInt32", "", "number in the batch's name"),
            new("class", "LowCardinality(String)", "", "class of the batch"),
            new("rows", "UInt32", "", "rows that the batch says it has"),
            new("cause", "LowCardinality(String)", "", "undecodable, foreign_class: its producer may not say such rows, or insert: ClickHouse refused it alone, twice"),
            new("code", "Int32", "", "ClickHouse's error code, 0 for the other causes"),
            new("message", "String", "", "what was wrong, in the words of who refused it"),
            new("bytes", "String", "ZSTD(1)", "the batch as received"),
            new("dead_at", "DateTime64(6, 'UTC')", "", "when it was given up"),
        ],
        PartitionBy = "toYYYYMMDD(received_at)",
        OrderBy = "agent_id, epoch, lane, batch",
        Comment = "Batches that could not be stored, with their bytes and the cause.",
    };
}
