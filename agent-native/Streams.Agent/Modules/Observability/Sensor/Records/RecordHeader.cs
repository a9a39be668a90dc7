using System.Runtime.InteropServices;

namespace Streams.Agent.Modules.Observability.Sensor.Records;

/// <summary>First in every record: identity, time and the cumulative losses of its (class, cpu). Mirror of struct record_header.</summary>
[StructLayout(LayoutKind.Explicit, Size = ByteSize)]
public struct RecordHeader
{
    /// <summary>Size of the fixed part in bytes.</summary>
    public const int ByteSize = 64;

    /// <summary>Nanoseconds of CLOCK_BOOTTIME.</summary>
    [FieldOffset(0)] public ulong TimeNs;
    /// <summary>1, 2, 3 ... per (class, cpu) for the life of the sensor instance.</summary>
    [FieldOffset(8)] public ulong Seq;
    [FieldOffset(16)] public ulong PolicyGeneration;
    /// <summary>Cumulative, covering at least every loss numbered below <see cref="Seq"/>.</summary>
    [FieldOffset(24)] public LostCounters Lost;
    [FieldOffset(56)] public RecordFlags Flags;
    /// <summary>Id of the class in the catalogue.</summary>
    [FieldOffset(60)] public ushort Class;
    [FieldOffset(62)] public ushort Cpu;

    public static unsafe MirrorLayout Mirror
    {
        get
        {
            RecordHeader r = default;
            var origin = (byte*)&r;
            return new MirrorLayout("record_header", sizeof(RecordHeader),
            [
                new("time_ns", (int)((byte*)&r.TimeNs - origin), sizeof(ulong)),
                new("seq", (int)((byte*)&r.Seq - origin), sizeof(ulong)),
                new("policy_generation", (int)((byte*)&r.PolicyGeneration - origin), sizeof(ulong)),
                new("lost", (int)((byte*)&r.Lost - origin), sizeof(LostCounters)),
                new("flags", (int)((byte*)&r.Flags - origin), sizeof(RecordFlags)),
                new("class", (int)((byte*)&r.Class - origin), sizeof(ushort)),
                new("cpu", (int)((byte*)&r.Cpu - origin), sizeof(ushort)),
            ]);
        }
    }
}
