using System.Runtime.InteropServices;

namespace Streams.Agent.Modules.Observability.Sensor.Records;

/// <summary>An established connection is closed. Mirror of struct network_close_record.</summary>
[StructLayout(LayoutKind.Explicit, Size = ByteSize)]
public struct NetworkCloseRecord
{
    /// <summary>Size of the fixed part in bytes.</summary>
    public const int ByteSize = 168;

    [FieldOffset(0)] public RecordHeader Header;
    [FieldOffset(64)] public NetworkEndpoint Endpoint;
    /// <summary>Payload, retransmissions not counted twice.</summary>
    [FieldOffset(144)] public ulong BytesSent;
    /// <summary>Payload.</summary>
    [FieldOffset(152)] public ulong BytesReceived;
    /// <summary>ESTABLISHED to CLOSE; 0 when the socket is older than the sensor.</summary>
    [FieldOffset(160)] public ulong DurationNs;

    public static unsafe MirrorLayout Mirror
    {
        get
        {
            NetworkCloseRecord r = default;
            var origin = (byte*)&r;
            return new MirrorLayout("network_close_record", sizeof(NetworkCloseRecord),
            [
                new("header", (int)((byte*)&r.Header - origin), sizeof(RecordHeader)),
                new("endpoint", (int)((byte*)&r.Endpoint - origin), sizeof(NetworkEndpoint)),
                new("bytes_sent", (int)((byte*)&r.BytesSent - origin), sizeof(ulong)),
                new("bytes_received", (int)((byte*)&r.BytesReceived - origin), sizeof(ulong)),
                new("duration_ns", (int)((byte*)&r.DurationNs - origin), sizeof(ulong)),
            ]);
        }
    }
}
