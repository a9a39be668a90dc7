namespace Streams.Schema;

/// <summary>Rows that prove what was counted.</summary>
public static class LedgerClasses
{
    /// <summary>
    /// Event priority on purpose: the barrier then follows, in the same lane, the batches that it counts, and a committed barrier
    /// finds its ledger complete.
    /// </summary>
    public static EventClass Barrier { get; } = new(
        32, "ledger_barrier", 1, PriorityClass.Event, "agent.telemetry", EventProducer.Agent,
        "The kernel's counters of one (class, cpu) at a point; sensor_epoch is the batch's.",
        new Column(16, "class", ColumnType.Dictionary, "name of the counted class"),
        new Column(17, "barrier_cpu", ColumnType.UInt16, "CPU that is counted"),
        new Column(18, "stamped", ColumnType.UInt64, "last seq that was stamped, 0 for none"),
        new Column(19, "filtered", ColumnType.UInt64, "events left out by filters, never stamped"),
        new Column(20, "missed", ColumnType.UInt64, "events for which the program could not run"),
        new Column(21, "reason", ColumnType.Dictionary, "periodic or stop"));

    /// <summary>
    /// What an agent says a batch was, of another lane or of an earlier process: it outlives the rows that it speaks of, as the ledger does.
    /// </summary>
    public static EventClass BatchProof { get; } = new(
        33, "batch_proof", 1, PriorityClass.Metric, "agent.telemetry", EventProducer.Agent,
        "The digest of one batch and the chain of its lane up to it; now and then with the agent's signature over the chain.",
        new Column(16, "proven_epoch", ColumnType.UInt64, "epoch of the proven batch, as its rows have it"),
        new Column(17, "proven_lane", ColumnType.UInt32, "lane of the proven batch"),
        new Column(18, "proven_batch", ColumnType.UInt32, "number of the proven batch"),
        new Column(19, "digest", ColumnType.String, "SHA-256 over the rows of the batch, 32 bytes"),
        new Column(20, "chain", ColumnType.String, "chain value of the lane after the batch, 32 bytes"),
        new Column(21, "from_batch", ColumnType.UInt32, "first batch that the signature covers"),
        new Column(22, "signature", ColumnType.String, "Ed25519 signature of a checkpoint, 64 bytes; empty between checkpoints"),
        new Column(23, "restart", ColumnType.Bool, "signed by a later process of the agent than the one that sealed the batch"))
    {
        Catalogues = [3],
    };
}
