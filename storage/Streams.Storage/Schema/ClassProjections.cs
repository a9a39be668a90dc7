using Streams.Schema;

namespace Streams.Storage;

/// <summary>
/// What people ask over minutes of a fleet, kept by minute (or ten seconds) in every part. The engine takes it by itself when a query groups and filters by the same expression,
/// in whole steps: <c>toStartOfMinute(received_at) >= toStartOfMinute(now() - INTERVAL 5 MINUTE)</c> (docs/adr/0036).
/// </summary>
internal static class ClassProjections
{
    private const string Minute = "toStartOfMinute(received_at)";
    private const string Step = "toStartOfInterval(received_at, toIntervalSecond(10))";

    /// <summary>Few: each costs an insert some 4 ms of CPU, however few its rows. Ten seconds show of a rate what a minute hides.</summary>
    public static IReadOnlyList<TableProjection> Of(EventClass eventClass) =>
        eventClass == ProcessClasses.Exec ? [Grouped("programs", "filename", "uniq(uid)")]
        : eventClass == NetworkClasses.Connect
            ? [Grouped("peers", "remote_address, remote_port", "quantile(0.99)(latency_us)"), new("rate", $"SELECT {Step}, count(), uniq(agent_id) GROUP BY {Step}")]
        : [];

    private static TableProjection Grouped(string name, string keys, string value) =>
        new(name, $"SELECT {Minute}, {keys}, count(), {value} GROUP BY {Minute}, {keys}");
}
