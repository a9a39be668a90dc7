using Streams.Schema;

namespace Streams.Storage;

/// <summary><c>loss</c>: what was lost, by agent, class, cause and hour of reception. A hole that nobody counted is cause <c>unknown</c>.</summary>
public static class LossView
{
    public const string Name = "loss";

    public static string CreateStatement { get; } = $"""
        CREATE OR REPLACE VIEW {Name} AS
        SELECT agent_id, any(host) AS host, class, toStartOfHour(received_at) AS period, loss.1 AS cause, sum(loss.2) AS events
        FROM
        (
            SELECT agent_id, host, class, received_at, arrayJoin([{Causes()}]) AS loss
            FROM {LedgerTable.Name}
            WHERE {LedgerTable.IsCurrent} AND last - first + 1 > rows
        )
        WHERE loss.2 > 0
        GROUP BY agent_id, class, period, cause
        """;

    private static string Causes() => string.Join(", ", LossCauses.Names.Select(n => $"('{n}', lost_{n})"));
}
