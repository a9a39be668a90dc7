using Streams.Agent.Modules.Observability.Sensor.Records;

namespace Streams.Agent.Modules.Observability.Sensor;

/// <summary>Divides holes among causes by the cumulative counters of one (class, cpu).</summary>
/// <remarks>
/// emit.h counts a loss before it takes its number, so the counters in a record cover at least all losses numbered below
/// it; what they hold beyond those already attributed is therefore at least the size of the hole. When losses of different
/// causes nest, a loss above the hole can be counted already: then causes may swap between neighbouring holes, never the sum.
/// </remarks>
internal struct LossAttribution(in LostCounters attributed)
{
    private LostCounters _attributed = attributed;

    /// <summary>Losses counted so far that no hole has been given yet.</summary>
    public readonly ulong Unattributed(in LostCounters counted) =>
        Left(counted.RingFull, _attributed.RingFull) + Left(counted.RateLimited, _attributed.RateLimited)
        + Left(counted.Shed, _attributed.Shed) + Left(counted.ReadFault, _attributed.ReadFault);

    /// <summary>Gives causes to a hole of that many numbers.</summary>
    public LostCounters Attribute(ulong count, in LostCounters counted, out ulong unknown)
    {
        LostCounters causes = default;
        causes.Shed = Take(ref count, counted.Shed, ref _attributed.Shed);
        causes.RateLimited = Take(ref count, counted.RateLimited, ref _attributed.RateLimited);
        causes.ReadFault = Take(ref count, counted.ReadFault, ref _attributed.ReadFault);
        causes.RingFull = Take(ref count, counted.RingFull, ref _attributed.RingFull);
        unknown = count;
        return causes;
    }

    private static ulong Left(ulong counted, ulong attributed) => counted > attributed ? counted - attributed : 0;

    private static ulong Take(ref ulong count, ulong counted, ref ulong attributed)
    {
        var taken = Math.Min(count, Left(counted, attributed));
        attributed += taken;
        count -= taken;
        return taken;
    }
}
