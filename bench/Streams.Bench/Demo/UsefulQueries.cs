using Streams.Bench.Running;

namespace Streams.Bench.Demo;

/// <summary>Three queries that a user would ask next, with their results.</summary>
internal static class UsefulQueries
{
    private static readonly (string Question, string Query)[] All =
    [
        ("Which programs ran, and how often?",
            "SELECT filename, count() AS runs, uniqExact(uid) AS users FROM process_exec GROUP BY filename ORDER BY runs DESC LIMIT 5"),
        ("Who connected where, and how long did it take?",
            """
            SELECT comm, concat(toString(tupleElement(IPv4CIDRToRange(toIPv4OrDefault(replaceOne(toString(remote_address), '::ffff:', '')), 16), 1)), '/16') AS network,
                   count() AS connections, round(quantile(0.99)(latency_us)) AS p99_us
            FROM network_connect GROUP BY comm, network ORDER BY connections DESC LIMIT 5
            """),
        ("Was anything lost?",
            "SELECT class, sum(stamped) AS stamped, sum(stored) AS stored, sum(lost) AS lost, sum(difference) AS difference FROM ledger_balance GROUP BY class ORDER BY class"),
    ];

    public static async Task PrintAsync(EngineClient rows, CancellationToken stop)
    {
        foreach (var (question, query) in All)
        {
            Console.WriteLine(question);
            Console.WriteLine($"  {string.Join("\n  ", query.Split('\n'))}");
            Console.WriteLine(await rows.TextAsync(query, "PrettyCompactMonoBlock", stop));
        }
    }
}
