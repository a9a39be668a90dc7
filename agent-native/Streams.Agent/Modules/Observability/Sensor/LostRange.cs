using Streams.Agent.Modules.Observability.Sensor.Records;

namespace Streams.Agent.Modules.Observability.Sensor;

/// <summary>A contiguous range of numbers of one (class, cpu) that was lost, with the causes the kernel counted.</summary>
/// <param name="Class">Class id.</param>
/// <param name="Cpu">CPU.</param>
/// <param name="First">First lost number.</param>
/// <param name="Last">Last lost number.</param>
/// <param name="Causes">How many by which cause.</param>
/// <param name="Unknown">What no counter explains. Causes.Total + Unknown = Last - First + 1.</param>
public readonly record struct LostRange(ushort Class, ushort Cpu, ulong First, ulong Last, LostCounters Causes, ulong Unknown)
{
    /// <summary>Numbers in the range.</summary>
    public ulong Count => Last - First + 1;
}
