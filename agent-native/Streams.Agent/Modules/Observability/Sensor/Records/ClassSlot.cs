using System.Runtime.InteropServices;

namespace Streams.Agent.Modules.Observability.Sensor.Records;

/// <summary>Counters of one (class, cpu), value of the map "slots". Mirror of struct class_slot.</summary>
[StructLayout(LayoutKind.Explicit, Size = ByteSize)]
public struct ClassSlot
{
    /// <summary>Size of the fixed part in bytes.</summary>
    public const int ByteSize = 64;

    /// <summary>Numbers stamped so far: S of a barrier.</summary>
    [FieldOffset(0)] public ulong Seq;
    [FieldOffset(8)] public LostCounters Lost;
    /// <summary>Events of excluded cgroups: neither stamped nor lost.</summary>
    [FieldOffset(40)] public ulong Filtered;
    /// <summary>Events while the programs of one agent took over from another's: neither stamped nor lost.</summary>
    [FieldOffset(48)] public ulong Unseen;
    [FieldOffset(56)] public ulong Reserved;

    public static unsafe MirrorLayout Mirror
    {
        get
        {
            ClassSlot r = default;
            var origin = (byte*)&r;
            return new MirrorLayout("class_slot", sizeof(ClassSlot),
            [
                new("seq", (int)((byte*)&r.Seq - origin), sizeof(ulong)),
                new("lost", (int)((byte*)&r.Lost - origin), sizeof(LostCounters)),
                new("filtered", (int)((byte*)&r.Filtered - origin), sizeof(ulong)),
                new("unseen", (int)((byte*)&r.Unseen - origin), sizeof(ulong)),
                new("reserved", (int)((byte*)&r.Reserved - origin), sizeof(ulong)),
            ]);
        }
    }
}
