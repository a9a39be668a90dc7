namespace Streams.Bench.Load;

/// <summary>
/// When the batches of one agent are due. All due times follow from the segments before the clock starts; nothing that the system under load does moves them.
/// A batch is due when its last row is; agents are out of step with each other by a fixed part of a batch.
/// </summary>
internal sealed class AgentSchedule(IReadOnlyList<Segment> segments, int agent, int agents, int rowsPerBatch)
{
    /// <summary>Fractional part of the golden ratio: any number of agents is spread evenly.</summary>
    private const double Step = 0.618_033_988_749_895;

    private int _segment;
    private double _before;
    private double _start;
    private double _rows = InitialRows(agent, rowsPerBatch);

    /// <summary>Seconds after the start at which the next batch is due; the one before becomes past. Infinity when no more is due.</summary>
    public double Next()
    {
        var due = TimeOf(_rows);
        _rows += rowsPerBatch;
        return due;
    }

    /// <summary>Batches that are due in all.</summary>
    public static long Batches(IReadOnlyList<Segment> segments, int agent, int agents, int rowsPerBatch)
    {
        var rows = segments.Sum(segment => segment.Events * segment.ShareOf(agent, agents));
        return Math.Max(0, (long)Math.Floor((rows - InitialRows(agent, rowsPerBatch)) / rowsPerBatch) + 1);
    }

    // Between one row and a whole batch.
    private static double InitialRows(int agent, int rowsPerBatch) => 1 + ((rowsPerBatch - 1) * ((agent * Step) % 1));

    private double TimeOf(double rows)
    {
        for (; _segment < segments.Count; _segment++)
        {
            var segment = segments[_segment];
            var share = segment.ShareOf(agent, agents);
            var here = segment.Events * share;
            if (rows <= _before + here)
            {
                return _start + segment.TimeOf((rows - _before) / share);
            }

            _before += here;
            _start += segment.Seconds;
        }

        return double.PositiveInfinity;
    }
}
