using Streams.Agent.Modules.Observability.Sensor.Records;

namespace Streams.Agent.Modules.Observability.Sensor;

/// <summary>A contiguous range of numbers of one (class, cpu) that was lost, with the causes the kernel counted.</summary>
/// <param name="Class">Class id.</param>
/// <param name="Cpu">CPU.</param>
/// <param name="First">First lost number.</param>
/// <param name="Last">Last lost number.</param>
/// <param name="Causes">How many by which cause.</param>
/// <param name="Unknown">What nothing explains. Causes.Total + Restart + Unknown = Last - First + 1.</param>
/// <param name="Restart">What an agent that was killed had read and not handed on.</param>
public readonly record struct LostRange(
    ushort Class, ushort Cpu, ulong First, ulong Last, LostCounters Causes, ulong Unknown, ulong Restart = 0)
{
    /// <summary>Numbers in the range.</summary>
    public ulong Count => Last - First + 1;

    /// <summary>
    /// Divides the range after a number. The kernel counts causes, not which number had which: the lower part takes the counted ones first, in the
    /// order in which holes get them, then those of a restart; both parts and their sum add up.
    /// </summary>
    /// <param name="last">Last number of the lower part: at least <see cref="First"/>, below <see cref="Last"/>.</param>
    public (LostRange Below, LostRange Above) SplitAfter(ulong last)
    {
        LossAttribution losses = default;
        var below = losses.Attribute(last - First + 1, Causes, out var uncounted);
        var above = losses.Attribute(Last - last, Causes, out _);
        var restart = Math.Min(uncounted, Restart);
        var unknown = uncounted - restart;
        return (new LostRange(Class, Cpu, First, last, below, unknown, restart),
            new LostRange(Class, Cpu, last + 1, Last, above, Unknown - unknown, Restart - restart));
    }
}
