using Streams.Bench.Load;

namespace Streams.Bench.Cases;

/// <summary>How a phase of a load goes.</summary>
internal enum PhaseKind
{
    /// <summary>As fast as the agents are let; no due times.</summary>
    Max,
    Steady,
    Ramp,
    Burst,

    /// <summary>Steady, while a share of the agents begins a new session every so often.</summary>
    Churn,

    /// <summary>Steady, and the first agent has a share of its own.</summary>
    Hot,
}

/// <summary>A phase of a load. Rates are events a second of all agents together.</summary>
internal sealed record Phase
{
    public required PhaseKind Kind { get; init; }

    public required double Seconds { get; init; }

    public double Rate { get; init; }

    /// <summary>The rate as a multiple of the measured capacity; 0 when <see cref="Rate"/> is given.</summary>
    public double TimesCapacity { get; init; }

    /// <summary>Rate at the end of a ramp, or during a burst.</summary>
    public double Other { get; init; }

    /// <summary>From the beginning of one burst, or of one churn, to the next.</summary>
    public double EverySeconds { get; init; }

    public double BurstSeconds { get; init; }

    /// <summary>Of the agents that churn, or of the events that the hot agent has.</summary>
    public double Share { get; init; }

    public IEnumerable<Segment> Segments(double capacity)
    {
        var rate = TimesCapacity > 0 ? Math.Max(1, TimesCapacity * capacity) : Rate;
        switch (Kind)
        {
            case PhaseKind.Ramp:
                yield return new Segment(Seconds, rate, Other);
                break;
            case PhaseKind.Burst:
                for (var at = 0.0; at < Seconds; at += EverySeconds)
                {
                    var quiet = Math.Min(EverySeconds - BurstSeconds, Seconds - at);
                    yield return new Segment(quiet, rate, rate);
                    if (Math.Min(BurstSeconds, Seconds - at - quiet) is > 0 and var burst)
                    {
                        yield return new Segment(burst, Other, Other);
                    }
                }

                break;
            default:
                yield return new Segment(Seconds, rate, rate, Kind == PhaseKind.Hot ? Share : 0);
                break;
        }
    }
}
