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

    /// <summary>How many events came, of how many agents. Ten seconds show what a minute hides, and are six rows a minute.</summary>
    private static readonly TableProjection Rate = new("rate", $"SELECT {Step}, count(), uniq(agent_id) GROUP BY {Step}");

    /// <summary>Only kernel classes have rows enough.</summary>
    public static IReadOnlyList<TableProjection> Of(EventClass eventClass) =>
        eventClass.Producer != EventProducer.Kernel ? []
        : eventClass == ProcessClasses.Exec ? [Rate, Grouped("programs", "filename", "uniq(uid)")]
        : eventClass == NetworkClasses.Connect ? [Rate, Grouped("peers", "remote_address, remote_port", "quantile(0.99)(latency_us)")]
        : [Rate];

    private static TableProjection Grouped(string name, string keys, string value) =>
        new(name, $"SELECT {Minute}, {keys}, count(), {value} GROUP BY {Minute}, {keys}");
}
