using System.Runtime.InteropServices;
using Streams.Agent.Modules.Observability.Sensor.Records;
using Streams.Schema;

namespace Streams.Agent.Modules.Observability.Batching;

/// <summary>The columns that all network classes share, and those that one class has alone.</summary>
internal sealed class NetworkColumns : IRecordColumns
{
    private readonly EventClass _class;
    private readonly int _recordBytes;
    private readonly int _pid;
    private readonly int _uid;
    private readonly int _cgroupId;
    private readonly int _comm;
    private readonly int _family;
    private readonly int _localAddress;
    private readonly int _localPort;
    private readonly int _remoteAddress;
    private readonly int _remotePort;
    private readonly int _socketCookie;
    private readonly int _first;
    private readonly int _second;
    private readonly int _third;

    private NetworkColumns(EventClass eventClass, int recordBytes, string? first = null, string? second = null, string? third = null)
    {
        _class = eventClass;
        _recordBytes = recordBytes;
        _pid = eventClass.OrdinalOf("pid");
        _uid = eventClass.OrdinalOf("uid");
        _cgroupId = eventClass.OrdinalOf("cgroup_id");
        _comm = eventClass.OrdinalOf("comm");
        _family = eventClass.OrdinalOf("family");
        _localAddress = eventClass.OrdinalOf("local_address");
        _localPort = eventClass.OrdinalOf("local_port");
        _remoteAddress = eventClass.OrdinalOf("remote_address");
        _remotePort = eventClass.OrdinalOf("remote_port");
        _socketCookie = eventClass.OrdinalOf("socket_cookie");
        _first = first is null ? -1 : eventClass.OrdinalOf(first);
        _second = second is null ? -1 : eventClass.OrdinalOf(second);
        _third = third is null ? -1 : eventClass.OrdinalOf(third);
    }

    public static NetworkColumns Connect() => new(NetworkClasses.Connect, NetworkConnectRecord.ByteSize, "state", "latency_us");

    public static NetworkColumns Accept() => new(NetworkClasses.Accept, NetworkAcceptRecord.ByteSize);

    public static NetworkColumns Close() => new(NetworkClasses.Close, NetworkCloseRecord.ByteSize, "bytes_sent", "bytes_received", "duration_us");

    public bool TryMeasure(ReadOnlySpan<byte> record, out int stringBytes)
    {
        stringBytes = RecordText.CommBytes;
        return record.Length >= _recordBytes;
    }

    public void Write(ReadOnlySpan<byte> record, BatchBuilder row, long clockOffset)
    {
        // Every network record begins with header and endpoint, as the accept record, which has nothing more, does.
        WriteEndpoint(in MemoryMarshal.AsRef<NetworkAcceptRecord>(record).Endpoint, row);
        if (ReferenceEquals(_class, NetworkClasses.Connect))
        {
            ref readonly var connect = ref MemoryMarshal.AsRef<NetworkConnectRecord>(record);
            row.SetUInt8(_first, connect.State);
            row.SetUInt64(_second, connect.LatencyNs / 1000);
        }
        else if (ReferenceEquals(_class, NetworkClasses.Close))
        {
            ref readonly var close = ref MemoryMarshal.AsRef<NetworkCloseRecord>(record);
            row.SetUInt64(_first, close.BytesSent);
            row.SetUInt64(_second, close.BytesReceived);
            row.SetUInt64(_third, close.DurationNs / 1000);
        }
    }

    private void WriteEndpoint(ref readonly NetworkEndpoint endpoint, BatchBuilder row)
    {
        row.SetUInt32(_pid, endpoint.Pid);
        row.SetUInt32(_uid, endpoint.Uid);
        row.SetUInt64(_cgroupId, endpoint.CgroupId);
        row.TrySetDictionary(_comm, RecordText.Comm(in endpoint.Comm));
        row.SetUInt8(_family, endpoint.Family);
        row.SetIPv6(_localAddress, MemoryMarshal.CreateReadOnlySpan(in endpoint.LocalAddress[0], 16));
        row.SetUInt16(_localPort, endpoint.LocalPort);
        row.SetIPv6(_remoteAddress, MemoryMarshal.CreateReadOnlySpan(in endpoint.RemoteAddress[0], 16));
        row.SetUInt16(_remotePort, endpoint.RemotePort);
        row.SetUInt64(_socketCookie, endpoint.SocketCookie);
    }
}
