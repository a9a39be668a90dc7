using System.Runtime.InteropServices;

namespace Streams.Agent.Modules.Observability.Sensor.Records;

/// <summary>A connection that a process of this host opened or failed to open. Mirror of struct network_connect_record.</summary>
[StructLayout(LayoutKind.Explicit, Size = ByteSize)]
public struct NetworkConnectRecord
{
    /// <summary>Size of the fixed part in bytes.</summary>
    public const int ByteSize = 160;

    [FieldOffset(0)] public RecordHeader Header;
    [FieldOffset(64)] public NetworkEndpoint Endpoint;
    /// <summary>SYN_SENT to ESTABLISHED, or to the failure.</summary>
    [FieldOffset(144)] public ulong LatencyNs;
    /// <summary>1 established, 0 failed.</summary>
    [FieldOffset(152)] public byte State;
    [FieldOffset(153)] public Bytes7 Reserved;

    public static unsafe MirrorLayout Mirror
    {
        get
        {
            NetworkConnectRecord r = default;
            var origin = (byte*)&r;
            return new MirrorLayout("network_connect_record", sizeof(NetworkConnectRecord),
            [
                new("header", (int)((byte*)&r.Header - origin), sizeof(RecordHeader)),
                new("endpoint", (int)((byte*)&r.Endpoint - origin), sizeof(NetworkEndpoint)),
                new("latency_ns", (int)((byte*)&r.LatencyNs - origin), sizeof(ulong)),
                new("state", (int)((byte*)&r.State - origin), sizeof(byte)),
                new("reserved", (int)((byte*)&r.Reserved - origin), sizeof(Bytes7)),
            ]);
        }
    }
}
