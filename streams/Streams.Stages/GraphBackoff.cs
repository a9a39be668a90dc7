namespace Streams.Stages;

/// <summary>How long a graph that ended waits before it is materialised again.</summary>
public sealed record GraphBackoff
{
    public static GraphBackoff Default { get; } = new();

    /// <summary>First wait. Short: a single poisoned element must not stop a core's agents for longer than a reconnect takes.</summary>
    public TimeSpan First { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Each wait doubles the one before, up to this.</summary>
    public TimeSpan Longest { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>A graph that ran this long starts again from <see cref="First"/>.</summary>
    public TimeSpan ResetAfter { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The wait that follows <paramref name="previous"/> (zero: there was none) after a run of <paramref name="ran"/>.</summary>
    public TimeSpan Next(TimeSpan previous, TimeSpan ran)
    {
        if (previous <= TimeSpan.Zero || ran >= ResetAfter)
        {
            return First;
        }

        return previous >= Longest / 2 ? Longest : previous * 2;
    }
}
