using System.Runtime.InteropServices;
using Streams.Agent.Modules.Observability.Sensor.Records;
using Streams.Schema;

namespace Streams.Agent.Modules.Observability.Batching;

internal sealed class ExitColumns : IRecordColumns
{
    private static readonly EventClass Exit = ProcessClasses.Exit;
    private static readonly int Pid = Exit.OrdinalOf("pid");
    private static readonly int Ppid = Exit.OrdinalOf("ppid");
    private static readonly int Uid = Exit.OrdinalOf("uid");
    private static readonly int Gid = Exit.OrdinalOf("gid");
    private static readonly int CgroupId = Exit.OrdinalOf("cgroup_id");
    private static readonly int Comm = Exit.OrdinalOf("comm");
    private static readonly int ExitCode = Exit.OrdinalOf("exit_code");
    private static readonly int ExitSignal = Exit.OrdinalOf("exit_signal");
    private static readonly int Lifetime = Exit.OrdinalOf("lifetime_us");

    public bool TryMeasure(ReadOnlySpan<byte> record, out int stringBytes)
    {
        stringBytes = RecordText.CommBytes;
        return record.Length >= ProcessExitRecord.ByteSize;
    }

    public void Write(ReadOnlySpan<byte> record, BatchBuilder row, long clockOffset)
    {
        ref readonly var process = ref MemoryMarshal.AsRef<ProcessExitRecord>(record);
        row.SetUInt32(Pid, process.Pid);
        row.SetUInt32(Ppid, process.Ppid);
        row.SetUInt32(Uid, process.Uid);
        row.SetUInt32(Gid, process.Gid);
        row.SetUInt64(CgroupId, process.CgroupId);
        row.TrySetDictionary(Comm, RecordText.Comm(in process.Comm));
        row.SetInt32(ExitCode, process.ExitCode);
        row.SetUInt8(ExitSignal, process.ExitSignal);
        row.SetUInt64(Lifetime, process.LifetimeNs / 1000);
    }
}
