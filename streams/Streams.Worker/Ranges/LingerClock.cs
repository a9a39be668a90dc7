namespace Streams.Worker.Ranges;

/// <summary>
/// When open ranges of all partitions close together. Every part costs ClickHouse merges, so the process has a budget of parts per
/// second and lingers between 200 ms and 2 s, as the number of tables that a round touches demands: parts per round divided by the
/// linger is parts per second. Ticks are multiples of the linger on one clock, so that partitions close at the same moment and the
/// inserter can merge them.
/// </summary>
internal sealed class LingerClock(TimeProvider time, TimeSpan minimum, TimeSpan maximum, double partsPerSecond = LingerClock.PartBudget)
{
    /// <summary>Parts per second of the whole process (review 22).</summary>
    public const double PartBudget = 10;

    // Weight of the newest round: about the last ten rounds count.
    private const double Weight = 0.1;

    private readonly Lock _gate = new();
    private double _partsPerRound = 2;

    public TimeProvider Time => time;

    /// <summary>The linger that holds now.</summary>
    public TimeSpan Current
    {
        get
        {
            lock (_gate)
            {
                var wanted = TimeSpan.FromSeconds(_partsPerRound / partsPerSecond);
                return wanted < minimum ? minimum : wanted > maximum ? maximum : wanted;
            }
        }
    }

    /// <summary>A round made this many parts.</summary>
    public void Observe(int parts)
    {
        lock (_gate)
        {
            _partsPerRound += (parts - _partsPerRound) * Weight;
        }
    }

    /// <summary>The timestamp of <see cref="Time"/> at which a range opened now is to be closed: the next common tick.</summary>
    public long NextTick()
    {
        var step = Math.Max(1, (long)(Current.TotalSeconds * time.TimestampFrequency));
        return ((time.GetTimestamp() / step) + 1) * step;
    }

    /// <summary>Time until a timestamp; never negative.</summary>
    public TimeSpan Until(long timestamp)
    {
        var now = time.GetTimestamp();
        return timestamp <= now ? TimeSpan.Zero : time.GetElapsedTime(now, timestamp);
    }
}
