using System.Runtime.InteropServices;

namespace Streams.Agent.Modules.Observability.Sensor.Records;

/// <summary>Cumulative counters of lost events by cause, in the order of LOST_* in events.h.</summary>
[StructLayout(LayoutKind.Explicit, Size = 32)]
public struct LostCounters
{
    [FieldOffset(0)] public ulong RingFull;
    [FieldOffset(8)] public ulong RateLimited;
    [FieldOffset(16)] public ulong Shed;
    [FieldOffset(24)] public ulong ReadFault;

    public readonly ulong Total => RingFull + RateLimited + Shed + ReadFault;
}
