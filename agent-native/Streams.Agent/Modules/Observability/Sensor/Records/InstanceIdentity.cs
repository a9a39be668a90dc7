using System.Runtime.InteropServices;

namespace Streams.Agent.Modules.Observability.Sensor.Records;

/// <summary>Identity of a sensor instance, value of the map "instance". Mirror of struct sensor_instance.</summary>
[StructLayout(LayoutKind.Explicit, Size = ByteSize)]
public struct InstanceIdentity
{
    /// <summary>Size of the fixed part in bytes.</summary>
    public const int ByteSize = 40;

    /// <summary>EVENTS_LAYOUT of events.h.</summary>
    public const uint CurrentLayout = 2;

    /// <summary>128 random bits.</summary>
    [FieldOffset(0)] public Bytes16 Epoch;
    [FieldOffset(16)] public uint Layout;
    [FieldOffset(20)] public uint Cpus;
    /// <summary>First bytes of the agent's public key: whose ledger the numbers are in.</summary>
    [FieldOffset(24)] public Bytes16 Owner;

    public static unsafe MirrorLayout Mirror
    {
        get
        {
            InstanceIdentity r = default;
            var origin = (byte*)&r;
            return new MirrorLayout("sensor_instance", sizeof(InstanceIdentity),
            [
                new("epoch", (int)((byte*)&r.Epoch - origin), sizeof(Bytes16)),
                new("layout", (int)((byte*)&r.Layout - origin), sizeof(uint)),
                new("cpus", (int)((byte*)&r.Cpus - origin), sizeof(uint)),
                new("owner", (int)((byte*)&r.Owner - origin), sizeof(Bytes16)),
            ]);
        }
    }
}
