using Streams.Schema;

namespace Streams.AgentLink.Spool;

/// <summary>
/// The parts of the spool: each priority class has its own, so that a flood of one never costs another its batches. In 32nds: control 1,
/// response 1, alert 4, event 20, metric 4, bulk 2.
/// </summary>
internal static class SpoolQuota
{
    /// <summary>A segment is sealed at this size, or at an eighth of its class's quota where that is less: space comes back segment by
    /// segment.</summary>
    private const long MaxSegmentBytes = 8 * 1024 * 1024;
    private const int SegmentsPerClass = 8;

    private static ReadOnlySpan<byte> Shares => [1, 1, 4, 20, 4, 2];

    /// <summary>Bytes of files that the class may have.</summary>
    internal static long Of(PriorityClass priority, long spoolBytes) => spoolBytes / 32 * Shares[(int)priority];

    /// <summary>Size at which a segment of the class is sealed.</summary>
    internal static long SegmentBytes(PriorityClass priority, long spoolBytes) =>
        Math.Min(MaxSegmentBytes, Of(priority, spoolBytes) / SegmentsPerClass);
}
