using System.Runtime.InteropServices;

namespace Streams.Agent.Modules.Observability.Sensor.Records;

/// <summary>What of one (class, cpu) no longer depends on this process.</summary>
[StructLayout(LayoutKind.Explicit, Size = 64)]
public struct Position
{
    /// <summary>Numbers up to it are in the spool, as rows or as counted losses. 0: none.</summary>
    [FieldOffset(0)] public ulong Seq;

    /// <summary>Of the kernel's loss counters, what those numbers were given.</summary>
    [FieldOffset(8)] public LostCounters Lost;
}
