using Streams.Schema;

namespace Streams.Storage;

/// <summary>
/// <c>ledger_balance</c>: for every (agent, sensor_epoch, class, cpu) the latest barrier against the rows in the tables and the
/// counted losses. Generated from the classes that the kernel stamps.
/// </summary>
/// <remarks>
/// The ledger covers S when its ranges up to S add up to S: they are disjoint, begin at 1 and never straddle a barrier, because
/// agents cut their entries at its S. A largest <c>last</c> at or above S would not do: a live lane overtakes a backlog. What is
/// stored is counted in the tables, never taken from the ledger.
/// </remarks>
public static class BalanceView
{
    public const string Name = "ledger_balance";

    public static string CreateStatement { get; } = $"""
        CREATE OR REPLACE VIEW {Name} AS
        WITH
            barriers AS
            (
                SELECT agent_id, argMax(host, received_at) AS host, sensor_epoch, class, barrier_cpu AS cpu,
                    max(b.stamped) AS s, max(b.filtered) AS filtered, max(b.missed) AS missed,
                    max(b.time) AS barrier_time, argMax(reason, b.time) AS reason
                FROM ledger_barrier AS b
                GROUP BY agent_id, sensor_epoch, class, barrier_cpu
            ),
            stored_rows AS
            (
                SELECT r.agent_id AS agent_id, r.sensor_epoch AS sensor_epoch, r.class AS class, r.cpu AS cpu, count() AS stored
                FROM
                (
        {Tables()}
                ) AS r
                INNER JOIN barriers AS b
                    ON r.agent_id = b.agent_id AND r.sensor_epoch = b.sensor_epoch AND r.class = b.class AND r.cpu = b.cpu
                WHERE r.seq <= b.s
                GROUP BY agent_id, sensor_epoch, class, cpu
            ),
            ledger AS
            (
                SELECT l.agent_id AS agent_id, l.sensor_epoch AS sensor_epoch, l.class AS class, l.cpu AS cpu,
                    sum({Lost()}) AS lost, sum(l.lost_unknown) AS lost_unknown, sum(l.last - l.first + 1) AS covered
                FROM (SELECT * FROM {LedgerTable.Name} WHERE {LedgerTable.IsCurrent}) AS l
                INNER JOIN barriers AS b
                    ON l.agent_id = b.agent_id AND l.sensor_epoch = b.sensor_epoch AND l.class = b.class AND l.cpu = b.cpu
                WHERE l.last <= b.s
                GROUP BY agent_id, sensor_epoch, class, cpu
            )
        SELECT b.agent_id AS agent_id, b.host AS host, b.sensor_epoch AS sensor_epoch, b.class AS class, b.cpu AS cpu,
            b.s AS stamped, stored_rows.stored AS stored, ledger.lost AS lost, ledger.lost_unknown AS lost_unknown,
            ledger.covered AS covered, toInt64(b.s) - toInt64(stored_rows.stored) - toInt64(ledger.lost) AS difference,
            multiIf(ledger.covered < b.s, 'open', difference = 0 AND ledger.covered = b.s, 'balanced', 'unbalanced') AS state,
            b.filtered AS filtered, b.missed AS missed, b.barrier_time AS barrier_time, b.reason AS reason
        FROM barriers AS b
        LEFT JOIN stored_rows ON stored_rows.agent_id = b.agent_id AND stored_rows.sensor_epoch = b.sensor_epoch
            AND stored_rows.class = b.class AND stored_rows.cpu = b.cpu
        LEFT JOIN ledger ON ledger.agent_id = b.agent_id AND ledger.sensor_epoch = b.sensor_epoch
            AND ledger.class = b.class AND ledger.cpu = b.cpu
        """;

    private static string Tables() => string.Join(
        "\n                    UNION ALL\n",
        Catalogue.Classes.Where(c => c.Producer == EventProducer.Kernel).Select(c =>
            $"                    SELECT agent_id, sensor_epoch, toLowCardinality('{c.Name}') AS class, cpu, seq FROM {c.Name}"));

    private static string Lost() => string.Join(" + ", LossCauses.Names.Select(n => $"l.lost_{n}"));
}
