using Streams.Queue;
using Streams.Storage;

namespace Streams.Worker.Recovery;

/// <summary>How far back class tables are searched for batches without ledger rows.</summary>
/// <remarks>
/// Such a batch was in a range behind its partition's last committed one, or it is still in the queue. Its <c>received_at</c> is thus not
/// older than the newest ledger row of its partition or the oldest message, but for the gateways' clocks, the order in which they publish,
/// and hosts that were off when the queue was wiped: three days, so that a weekend is within.
/// </remarks>
internal static class ReadBackBound
{
    internal static readonly TimeSpan Safety = TimeSpan.FromDays(3);

    /// <returns>Microseconds since 1970; 0 for everything, when there is no ledger to go by.</returns>
    public static long Since(IEnumerable<CommittedLane> lanes, int partitions, DateTimeOffset? oldestMessage)
    {
        var newest = new long[partitions];
        foreach (var lane in lanes)
        {
            ref var at = ref newest[Subjects.PartitionOf(lane.AgentId, partitions)];
            at = Math.Max(at, lane.LastReceivedAt);
        }

        // A partition without any ledger row has committed nothing yet: the others' rows, or the queue, tell since when.
        var since = newest.Where(static at => at != 0).DefaultIfEmpty(0).Min();
        if (oldestMessage is { } oldest)
        {
            since = Math.Min(since, oldest.ToUnixTimeMilliseconds() * 1000);
        }

        return Math.Max(0, since - (long)Safety.TotalMicroseconds);
    }
}
