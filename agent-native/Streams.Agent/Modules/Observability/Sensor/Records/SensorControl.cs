using System.Runtime.InteropServices;

namespace Streams.Agent.Modules.Observability.Sensor.Records;

/// <summary>What the programs obey, value of the map "control". Mirror of struct sensor_control.</summary>
[StructLayout(LayoutKind.Explicit, Size = ByteSize)]
public struct SensorControl
{
    /// <summary>Size of the fixed part in bytes.</summary>
    public const int ByteSize = 544;

    /// <summary>In <see cref="Active"/>: the generation's programs count and do not stamp.</summary>
    public const uint HandOver = 1u << 31;

    [FieldOffset(0)] public ulong PolicyGeneration;
    /// <summary>Classes whose value is below it count instead of emitting. 0 sheds nothing.</summary>
    [FieldOffset(8)] public uint ShedLevel;
    /// <summary>Entries of the map "excluded".</summary>
    [FieldOffset(12)] public uint ExcludedCgroups;
    /// <summary>0: the kernel wakes a reader that has caught up. Else only when this much is waiting.</summary>
    [FieldOffset(16)] public uint WakeupBytes;
    /// <summary>Generation of the programs that stamp, perhaps with <see cref="HandOver"/>. 0: none does.</summary>
    [FieldOffset(20)] public uint Active;
    /// <summary>Generation up to which <see cref="Missed"/> holds what its programs missed.</summary>
    [FieldOffset(24)] public uint MissedUpTo;
    [FieldOffset(28)] public uint Reserved;
    /// <summary>By class: events that programs of earlier generations could not see.</summary>
    [FieldOffset(32)] public PerClass Missed;

    public static unsafe MirrorLayout Mirror
    {
        get
        {
            SensorControl r = default;
            var origin = (byte*)&r;
            return new MirrorLayout("sensor_control", sizeof(SensorControl),
            [
                new("policy_generation", (int)((byte*)&r.PolicyGeneration - origin), sizeof(ulong)),
                new("shed_level", (int)((byte*)&r.ShedLevel - origin), sizeof(uint)),
                new("excluded_cgroups", (int)((byte*)&r.ExcludedCgroups - origin), sizeof(uint)),
                new("wakeup_bytes", (int)((byte*)&r.WakeupBytes - origin), sizeof(uint)),
                new("active", (int)((byte*)&r.Active - origin), sizeof(uint)),
                new("missed_up_to", (int)((byte*)&r.MissedUpTo - origin), sizeof(uint)),
                new("reserved", (int)((byte*)&r.Reserved - origin), sizeof(uint)),
                new("missed", (int)((byte*)&r.Missed - origin), sizeof(PerClass)),
            ]);
        }
    }
}
