using System.Runtime.InteropServices;

namespace Streams.Agent.Modules.Observability.Sensor.Records;

/// <summary>A connection that a listener of this host completed. Mirror of struct network_accept_record.</summary>
[StructLayout(LayoutKind.Explicit, Size = ByteSize)]
public struct NetworkAcceptRecord
{
    /// <summary>Size of the fixed part in bytes.</summary>
    public const int ByteSize = 144;

    [FieldOffset(0)] public RecordHeader Header;
    [FieldOffset(64)] public NetworkEndpoint Endpoint;

    public static unsafe MirrorLayout Mirror
    {
        get
        {
            NetworkAcceptRecord r = default;
            var origin = (byte*)&r;
            return new MirrorLayout("network_accept_record", sizeof(NetworkAcceptRecord),
            [
                new("header", (int)((byte*)&r.Header - origin), sizeof(RecordHeader)),
                new("endpoint", (int)((byte*)&r.Endpoint - origin), sizeof(NetworkEndpoint)),
            ]);
        }
    }
}
