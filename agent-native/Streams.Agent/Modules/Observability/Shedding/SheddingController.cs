namespace Streams.Agent.Modules.Observability.Shedding;

/// <summary>
/// Decides once a second how much is shed, from the mean of the highest pressure over that second: at 80 % a level more, at 60 % or less
/// one less. The mean, because a ring that is full for a moment has lost nothing that shedding could still save; between the two the level
/// stays, or shedding would lower the pressure that keeps it on and flap.
/// </summary>
internal sealed class SheddingController(TimeProvider clock)
{
    public const double RaiseAt = 0.8;
    public const double LowerAt = 0.6;

    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    private readonly long _origin = clock.GetTimestamp();
    private TimeSpan _began;
    private TimeSpan _seen;
    private double _sum;

    /// <summary>0: nothing is shed; up to <see cref="ShedSteps.Highest"/>.</summary>
    public int Level { get; private set; }

    /// <summary>Mean pressure over the last second that was decided on.</summary>
    public double Mean { get; private set; }

    /// <summary>Takes a reading, which counts for the time since the one before. True when the level changed.</summary>
    public bool Observe(double pressure)
    {
        var now = clock.GetElapsedTime(_origin);
        _sum += pressure * (now - _seen).TotalSeconds;
        _seen = now;
        var passed = now - _began;
        if (passed < Period)
            return false;
        Mean = _sum / passed.TotalSeconds;
        _sum = 0;
        _began = now;
        var level = Mean >= RaiseAt ? Math.Min(Level + 1, ShedSteps.Highest)
            : Mean <= LowerAt ? Math.Max(Level - 1, 0)
            : Level;
        var changed = level != Level;
        Level = level;
        return changed;
    }
}
