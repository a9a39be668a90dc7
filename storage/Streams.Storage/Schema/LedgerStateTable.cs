namespace Streams.Storage;

/// <summary>
/// <c>ledger_state</c>: what was settled about a (agent, sensor_epoch, class, cpu), up to a barrier. Never changed, so that rows whose time is over, or a dropped
/// partition, do not turn a balance that was proved into a loss. All numbers count from the begin of the sequence, so a later balanced row says all that an earlier one
/// said: merges keep the newest of a month, and every unbalanced one. Six a sequence and hour would be a million a day for a fleet of a thousand hosts.
/// </summary>
public static class LedgerStateTable
{
    public const string Name = "ledger_state";

    public static TableDefinition Definition { get; } = new()
    {
        Name = Name,
        Columns =
        [
            new("agent_id", "LowCardinality(String)", "", "the authenticated agent"),
            new("host", "LowCardinality(String)", "", "host name of the session"),
            new("received_at", "DateTime64(6, 'UTC')", "", "when it was settled; named for the retention, which is that of the ledger"),
            new("sensor_epoch", "UInt64", "", "first 8 bytes of the sensor instance that is counted"),
            new("class", "LowCardinality(String)", "", "class that is counted"),
            new("cpu", "UInt16", "", "CPU of the sequence"),
            new("stamped", "UInt64", "", "the barrier: all numbers up to it are accounted for"),
            new("stored", "UInt64", "", "rows in the table up to the barrier"),
            new("doubled", "UInt64", "", "of them, rows whose number is there more than once"),
            new("lost", "UInt64", "", "numbers counted as lost, by any cause"),
            new("lost_unknown", "UInt64", "", "of them, without a cause"),
            new("state", "LowCardinality(String)", "", "balanced or unbalanced, of the part since the row before"),
        ],
        Engine = "ReplacingMergeTree(stamped)",
        PartitionBy = "toYYYYMM(received_at)",
        OrderBy = "agent_id, sensor_epoch, class, cpu, if(state = 'balanced', 0, stamped)",
        Comment = "What was settled about a sequence up to a barrier, for ever: it outlives the rows that it counted.",
    };

    /// <summary>The newest row of each sequence, as a query: numbers up to <c>s0</c>.</summary>
    internal const string Newest = $"""
        SELECT agent_id, sensor_epoch, class, cpu, max(f.stamped) AS s0, argMax(f.stored, f.stamped) AS stored0, argMax(f.doubled, f.stamped) AS doubled0,
            argMax(f.lost, f.stamped) AS lost0, argMax(f.lost_unknown, f.stamped) AS unknown0, max(f.received_at) AS settled_at
        FROM {Name} AS f
        GROUP BY agent_id, sensor_epoch, class, cpu
        """;
}
