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
}
