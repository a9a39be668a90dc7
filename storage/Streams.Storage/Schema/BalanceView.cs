namespace Streams.Storage;

/// <summary>
/// <c>ledger_balance</c>: for every (agent, sensor_epoch, class, cpu) the latest barrier against the rows in the tables and the
/// counted losses. Generated from the classes that the kernel stamps.
/// </summary>
/// <remarks>
/// The ledger covers S when its ranges up to S add up to S: they are disjoint, begin at 1 and never straddle a barrier, because
/// agents cut their entries at its S. A largest <c>last</c> at or above S would not do: a live lane overtakes a backlog. What is
/// stored is counted in the tables, never taken from the ledger, and read after it: a batch's rows are there before its ledger rows. What was settled before (<see cref="LedgerStateTable"/>) is not counted again.
/// </remarks>
public static class BalanceView
{
    public const string Name = "ledger_balance";

    /// <summary>
    /// States: <c>open</c> while the ledger does not cover the barrier; <c>unbalanced</c> when rows are missing, or there twice, or a hole has no cause;
    /// <c>closed_unclean</c> when the numbers up to the barrier are right and the sensor instance ended without a last barrier (power was lost): what it saw after it is
    /// unknown, at most a ring and what was emitted since; else <c>balanced</c>.
    /// </summary>
    public static string CreateStatement { get; } = $"""
        CREATE OR REPLACE VIEW {Name} AS
        WITH
            settled AS ({LedgerStateTable.Newest}),
            latest AS
            (
                SELECT agent_id, argMax(host, received_at) AS host, sensor_epoch, class, barrier_cpu AS cpu,
                    max(b.stamped) AS s, max(b.filtered) AS filtered, max(b.missed) AS missed,
                    max(b.time) AS barrier_time, max(b.received_at) AS barrier_received_at, argMax(reason, b.time) AS reason
                FROM ledger_barrier AS b
                GROUP BY agent_id, sensor_epoch, class, barrier_cpu
            ),
            instances AS
            (
                SELECT agent_id, sensor_epoch, min(time) AS began, max(time) AS ended, argMax(reason, (time, reason = 'stop')) AS last_reason
                FROM ledger_barrier
                GROUP BY agent_id, sensor_epoch
            ),
            newest AS (SELECT agent_id, max(began) AS newest_began FROM instances GROUP BY agent_id),
            unclean AS
            (
                SELECT i.agent_id AS agent_id, i.sensor_epoch AS sensor_epoch, toUInt8(1) AS is_unclean
                FROM instances AS i INNER JOIN newest AS n ON i.agent_id = n.agent_id
                WHERE n.newest_began > i.ended AND i.last_reason != 'stop'
            ),
            barriers AS
            (
                SELECT l.agent_id AS agent_id, l.host AS host, l.sensor_epoch AS sensor_epoch, l.class AS class, l.cpu AS cpu, l.s AS s, l.filtered AS filtered,
                    l.missed AS missed, l.barrier_time AS barrier_time, l.barrier_received_at AS barrier_received_at, l.reason AS reason, f.s0 AS s0, f.stored0 AS stored0, f.doubled0 AS doubled0, f.lost0 AS lost0, f.unknown0 AS unknown0, u.is_unclean AS is_unclean
                FROM latest AS l
                LEFT JOIN settled AS f ON l.agent_id = f.agent_id AND l.sensor_epoch = f.sensor_epoch AND l.class = f.class AND l.cpu = f.cpu
                LEFT JOIN unclean AS u ON l.agent_id = u.agent_id AND l.sensor_epoch = u.sensor_epoch
            ),
            stored_rows AS
            (
                SELECT r.agent_id AS agent_id, r.sensor_epoch AS sensor_epoch, r.class AS class, r.cpu AS cpu,
                    count() AS stored, count() - uniqExact(r.seq) AS doubled
                FROM
                (
        {KernelRows.Union("")}
                ) AS r
                INNER JOIN barriers AS b
                    ON r.agent_id = b.agent_id AND r.sensor_epoch = b.sensor_epoch AND r.class = b.class AND r.cpu = b.cpu
                WHERE r.seq <= b.s AND r.seq > b.s0
                GROUP BY agent_id, sensor_epoch, class, cpu
            ),
            ledger AS
            (
                SELECT l.agent_id AS agent_id, l.sensor_epoch AS sensor_epoch, l.class AS class, l.cpu AS cpu,
                    sum({KernelRows.Lost("l")}) AS lost, sum(l.lost_unknown) AS lost_unknown, sum(l.last - l.first + 1) AS covered
                FROM (SELECT * FROM {LedgerTable.Name} WHERE {LedgerTable.IsCurrent}) AS l
                INNER JOIN barriers AS b
                    ON l.agent_id = b.agent_id AND l.sensor_epoch = b.sensor_epoch AND l.class = b.class AND l.cpu = b.cpu
                WHERE l.last <= b.s AND l.last > b.s0
                GROUP BY agent_id, sensor_epoch, class, cpu
            )
        SELECT b.agent_id AS agent_id, b.host AS host, b.sensor_epoch AS sensor_epoch, b.class AS class, b.cpu AS cpu,
            greatest(b.s, b.s0) AS stamped, b.stored0 + stored_rows.stored AS stored, b.lost0 + ledger.lost AS lost, b.unknown0 + ledger.lost_unknown AS lost_unknown,
            b.s0 + ledger.covered AS covered, toInt64(stamped) - toInt64(stored) - toInt64(lost) AS difference, b.doubled0 + stored_rows.doubled AS doubled,
            multiIf(covered < stamped, 'open', difference != 0 OR doubled != 0 OR lost_unknown != 0 OR covered != stamped, 'unbalanced',
                b.is_unclean = 1, 'closed_unclean', 'balanced') AS state,
            b.filtered AS filtered, b.missed AS missed, b.barrier_time AS barrier_time,
            b.barrier_received_at AS barrier_received_at, b.reason AS reason
        FROM barriers AS b
        LEFT JOIN ledger ON ledger.agent_id = b.agent_id AND ledger.sensor_epoch = b.sensor_epoch
            AND ledger.class = b.class AND ledger.cpu = b.cpu
        LEFT JOIN stored_rows ON stored_rows.agent_id = b.agent_id AND stored_rows.sensor_epoch = b.sensor_epoch
            AND stored_rows.class = b.class AND stored_rows.cpu = b.cpu
        """;
}
