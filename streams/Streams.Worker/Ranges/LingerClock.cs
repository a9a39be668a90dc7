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

    /// <summary>What a range with an alert waits for company: the alerts of one burst come within that.</summary>
    public static readonly TimeSpan AlertLinger = TimeSpan.FromMilliseconds(25);

    /// <summary>Least time between two closings for alerts, of the whole process: a flood of alerts makes at most four more rounds a second.</summary>
    public static readonly TimeSpan AlertPause = TimeSpan.FromMilliseconds(250);

    // Weight of the newest round: about the last ten rounds count.
    private const double Weight = 0.1;

    private readonly Lock _gate = new();
    private double _partsPerRound = 2;
    private long _alertTick = long.MinValue;

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
        var step = Math.Max(1, Ticks(Current));
        return ((time.GetTimestamp() / step) + 1) * step;
    }

    /// <summary>
    /// The timestamp at which a range that has an alert now is to be closed: soon, with the alerts of other partitions, but not sooner after the last such moment than
    /// <see cref="AlertPause"/> allows. It may lie behind <see cref="NextTick"/>, which then comes first.
    /// </summary>
    public long NextAlertTick()
    {
        lock (_gate)
        {
            var now = time.GetTimestamp();
            if (_alertTick <= now)
            {
                var soon = now + Ticks(AlertLinger);
                _alertTick = _alertTick == long.MinValue ? soon : Math.Max(soon, _alertTick + Ticks(AlertPause));
            }

            return _alertTick;
        }
    }

    /// <summary>Time until a timestamp; never negative.</summary>
    public TimeSpan Until(long timestamp)
    {
        var now = time.GetTimestamp();
        return timestamp <= now ? TimeSpan.Zero : time.GetElapsedTime(now, timestamp);
    }

    private long Ticks(TimeSpan span) => (long)(span.TotalSeconds * time.TimestampFrequency);
}
