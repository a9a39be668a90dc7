using Streams.Schema;

namespace Streams.AgentLink.Spool;

/// <summary>What is in a spool, read without its lock and without writing: the agent may run meanwhile.</summary>
public static class SpoolInventory
{
    /// <summary>The segments, oldest first; none when there is no such folder.</summary>
    /// <exception cref="SpoolException">The folder cannot be read.</exception>
    public static IReadOnlyList<SpooledSegment> Read(string folder)
    {
        var segments = new List<SpooledSegment>();
        try
        {
            foreach (var (path, name) in SpoolStore.List(folder))
            {
                if (TryRead(path, name) is { } segment)
                {
                    segments.Add(segment);
                }
            }
        }
        catch (DirectoryNotFoundException)
        {
            return [];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new SpoolException($"spool {folder} cannot be read ({exception.Message}); run as the agent's user (root)");
        }

        segments.Sort((a, b) => (a.Created, a.Lane).CompareTo((b.Created, b.Lane)));
        return segments;
    }

    /// <summary>Bytes of files that the class may have of a spool of <paramref name="spoolBytes"/>.</summary>
    public static long QuotaOf(PriorityClass priority, long spoolBytes) => SpoolQuota.Of(priority, spoolBytes);

    /// <summary>The class's word.</summary>
    public static string NameOf(PriorityClass priority) => SegmentName.NameOf(priority);

    private static SpooledSegment? TryRead(string path, SegmentName name)
    {
        try
        {
            using var segment = Segment.Open(path, name, new SpoolCounters(), readOnly: true);
            return segment is null ? null : new SpooledSegment
            {
                Epoch = name.Epoch,
                Lane = name.Lane,
                Priority = name.Priority,
                Batches = segment.Next,
                Committed = segment.Committed,
                Bytes = segment.Bytes,
                Created = DateTimeOffset.FromUnixTimeMilliseconds(segment.Created),
                Sealed = segment.Sealed,
                Evicted = segment.Evicted,
            };
        }
        catch (FileNotFoundException)
        {
            // Committed and gone since the listing.
            return null;
        }
    }
}
