using System.Runtime.InteropServices;

namespace Streams.Agent.Modules.Observability.Sensor.Records;

/// <summary>Who a socket belongs to and what it connects. Mirror of struct network_endpoint.</summary>
[StructLayout(LayoutKind.Explicit, Size = ByteSize)]
public struct NetworkEndpoint
{
    /// <summary>Size of the fixed part in bytes.</summary>
    public const int ByteSize = 80;

    [FieldOffset(0)] public ulong CgroupId;
    /// <summary>0 when the kernel gives none.</summary>
    [FieldOffset(8)] public ulong SocketCookie;
    /// <summary>Network order; IPv4 as ::ffff:a.b.c.d.</summary>
    [FieldOffset(16)] public Bytes16 LocalAddress;
    /// <summary>Network order; IPv4 as ::ffff:a.b.c.d.</summary>
    [FieldOffset(32)] public Bytes16 RemoteAddress;
    /// <summary>Of the process that called connect(), or listen() for accepted sockets; 0 when unknown.</summary>
    [FieldOffset(48)] public uint Pid;
    [FieldOffset(52)] public uint Uid;
    /// <summary>NUL-padded.</summary>
    [FieldOffset(56)] public Bytes16 Comm;
    [FieldOffset(72)] public ushort LocalPort;
    [FieldOffset(74)] public ushort RemotePort;
    /// <summary>2 for IPv4, 10 for IPv6: of the packets, so an IPv6 socket that carries IPv4 says 2.</summary>
    [FieldOffset(76)] public byte Family;
    [FieldOffset(77)] public Bytes3 Reserved;

    public static unsafe MirrorLayout Mirror
    {
        get
        {
            NetworkEndpoint r = default;
            var origin = (byte*)&r;
            return new MirrorLayout("network_endpoint", sizeof(NetworkEndpoint),
            [
                new("cgroup_id", (int)((byte*)&r.CgroupId - origin), sizeof(ulong)),
                new("socket_cookie", (int)((byte*)&r.SocketCookie - origin), sizeof(ulong)),
                new("local_address", (int)((byte*)&r.LocalAddress - origin), sizeof(Bytes16)),
                new("remote_address", (int)((byte*)&r.RemoteAddress - origin), sizeof(Bytes16)),
                new("pid", (int)((byte*)&r.Pid - origin), sizeof(uint)),
                new("uid", (int)((byte*)&r.Uid - origin), sizeof(uint)),
                new("comm", (int)((byte*)&r.Comm - origin), sizeof(Bytes16)),
                new("local_port", (int)((byte*)&r.LocalPort - origin), sizeof(ushort)),
                new("remote_port", (int)((byte*)&r.RemotePort - origin), sizeof(ushort)),
                new("family", (int)((byte*)&r.Family - origin), sizeof(byte)),
                new("reserved", (int)((byte*)&r.Reserved - origin), sizeof(Bytes3)),
            ]);
        }
    }
}
