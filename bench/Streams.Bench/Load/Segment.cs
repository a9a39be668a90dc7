namespace Streams.Bench.Load;

/// <summary>A stretch of a schedule in which the rate changes linearly.</summary>
/// <param name="Seconds">How long it lasts, above 0.</param>
/// <param name="From">Events a second of all agents together at its start.</param>
/// <param name="To">The same at its end.</param>
/// <param name="HotShare">Share of the first agent, 0 to 1; 0 when all have the same.</param>
internal readonly record struct Segment(double Seconds, double From, double To, double HotShare = 0)
{
    /// <summary>Events of all agents.</summary>
    public double Events => Seconds * (From + To) / 2;

    /// <summary>Share of one of so many agents.</summary>
    public double ShareOf(int agent, int agents) => HotShare == 0 ? 1.0 / agents
        : agent == 0 ? HotShare
        : (1 - HotShare) / (agents - 1);

    /// <summary>Seconds after the segment's start at which <paramref name="events"/> of all agents are due; the inverse of the integral of the rate.</summary>
    public double TimeOf(double events)
    {
        var slope = (To - From) / (2 * Seconds);
        // The form of the root that neither cancels nor divides by a slope of 0.
        var root = Math.Sqrt(Math.Max(0, (From * From) + (4 * slope * events)));
        return events <= 0 ? 0 : Math.Min(Seconds, 2 * events / (From + root));
    }
}
