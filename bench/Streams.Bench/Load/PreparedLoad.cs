using Streams.Schema;

namespace Streams.Bench.Load;

/// <summary>The batches of a load process, made before its clock starts, and what the making cost.</summary>
internal sealed record PreparedLoad
{
    /// <summary>Batches that are sent again and again: enough that no dictionary of one batch fits the next.</summary>
    private const int Templates = 600;

    /// <summary>Sealing of one core, rows a second, below what was seen anywhere: the start of the row clock is guessed with it.</summary>
    private const double SlowestRowsPerSecond = 150_000;

    private static readonly TimeSpan ToConnect = TimeSpan.FromSeconds(5);

    /// <summary>Of every agent; the same arrays for all when they are sent again and again.</summary>
    public required byte[][][] Batches { get; init; }

    /// <summary>Of every agent's sequence numbers; null when they are sent again and again.</summary>
    public required Epoch[]? SensorEpochs { get; init; }

    /// <summary>Microseconds since 1970 that the times of the rows count from; 0 when they follow no schedule.</summary>
    public required long RowClock { get; init; }

    public required long Rows { get; init; }

    public required double CpuSeconds { get; init; }

    /// <summary>Of it, sealing: 0 when too little was sealed to tell.</summary>
    public required double SealSecondsPerRow { get; init; }

    public static PreparedLoad Make(LoadSpec spec)
    {
        var before = Environment.CpuUsage.TotalTime;
        var made = spec.Scheduled ? Scheduled(spec) : Again(spec);
        return made with { CpuSeconds = (Environment.CpuUsage.TotalTime - before).TotalSeconds };
    }

    private static PreparedLoad Again(LoadSpec spec)
    {
        using var mix = new EventMix(spec.Mix);
        var batches = mix.Batches(Templates);
        return new PreparedLoad
        {
            Batches = [.. Enumerable.Repeat(batches, spec.Count)],
            SensorEpochs = null,
            RowClock = 0,
            Rows = (long)Templates * spec.Mix.BatchRows,
            CpuSeconds = 0,
            SealSecondsPerRow = mix.SealSecondsPerRow,
        };
    }

    // Each agent has rows of its own: its seed is the load's and its number.
    private static PreparedLoad Scheduled(LoadSpec spec)
    {
        var due = Enumerable.Range(spec.First, spec.Count).Select(agent => DueOf(spec, agent)).ToArray();
        var rows = due.Sum(times => (long)times.Length) * spec.Mix.BatchRows;
        var wait = ToConnect + TimeSpan.FromSeconds(rows / SlowestRowsPerSecond / Environment.ProcessorCount);
        var clock = (DateTime.UtcNow + wait - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
        var batches = new byte[spec.Count][][];
        var epochs = new Epoch[spec.Count];
        var seal = new double[spec.Count];
        Parallel.For(0, spec.Count, new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount }, i =>
        {
            using var mix = new EventMix(spec.Mix with { Seed = spec.Mix.Seed + spec.First + i });
            epochs[i] = Epoch.NewRandom();
            var mine = new byte[due[i].Length][];
            var before = 0.0;
            for (var n = 0; n < mine.Length; n++)
            {
                mine[n] = mix.Next(n, epochs[i], clock + Micros(before), clock + Micros(due[i][n]));
                before = due[i][n];
            }

            batches[i] = mine;
            seal[i] = mix.SealSecondsPerRow;
        });
        return new PreparedLoad
        {
            Batches = batches,
            SensorEpochs = epochs,
            RowClock = clock,
            Rows = rows,
            CpuSeconds = 0,
            SealSecondsPerRow = seal.Where(static each => each > 0).DefaultIfEmpty().Average(),
        };
    }

    private static double[] DueOf(LoadSpec spec, int agent)
    {
        var schedule = new AgentSchedule(spec.Segments, agent, spec.Agents, spec.Mix.BatchRows);
        var times = new List<double>();
        for (var due = schedule.Next(); !double.IsPositiveInfinity(due); due = schedule.Next())
        {
            times.Add(due);
        }

        return [.. times];
    }

    private static long Micros(double seconds) => (long)(seconds * 1e6);
}
