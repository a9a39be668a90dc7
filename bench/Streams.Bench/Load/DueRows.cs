namespace Streams.Bench.Load;

/// <summary>How many rows of a set of agents are due at a time: what was offered, whatever became of it.</summary>
internal sealed class DueRows
{
    private readonly double[] _times;
    private readonly int _rowsPerBatch;

    /// <summary>Walks the schedules to their ends; of so many agents those from <paramref name="first"/> on.</summary>
    public DueRows(IReadOnlyList<Segment> segments, int first, int count, int agents, int rowsPerBatch)
    {
        var times = new List<double>();
        for (var agent = first; agent < first + count; agent++)
        {
            var schedule = new AgentSchedule(segments, agent, agents, rowsPerBatch);
            for (var due = schedule.Next(); !double.IsPositiveInfinity(due); due = schedule.Next())
            {
                times.Add(due);
            }
        }

        times.Sort();
        _times = [.. times];
        _rowsPerBatch = rowsPerBatch;
    }

    public long Total => (long)_times.Length * _rowsPerBatch;

    public long At(double seconds)
    {
        var index = Array.BinarySearch(_times, seconds);
        if (index < 0)
        {
            return (long)~index * _rowsPerBatch;
        }

        while (index < _times.Length && _times[index] <= seconds)
        {
            index++;
        }

        return (long)index * _rowsPerBatch;
    }
}
