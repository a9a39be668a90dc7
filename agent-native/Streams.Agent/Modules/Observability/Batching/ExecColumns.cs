using Streams.Agent.Modules.Observability.Sensor;
using Streams.Schema;

namespace Streams.Agent.Modules.Observability.Batching;

internal sealed class ExecColumns : IRecordColumns
{
    private static readonly EventClass Exec = ProcessClasses.Exec;
    private static readonly int Pid = Exec.OrdinalOf("pid");
    private static readonly int Ppid = Exec.OrdinalOf("ppid");
    private static readonly int Uid = Exec.OrdinalOf("uid");
    private static readonly int Gid = Exec.OrdinalOf("gid");
    private static readonly int CgroupId = Exec.OrdinalOf("cgroup_id");
    private static readonly int Inode = Exec.OrdinalOf("inode");
    private static readonly int Comm = Exec.OrdinalOf("comm");
    private static readonly int Filename = Exec.OrdinalOf("filename");
    private static readonly int Argv = Exec.OrdinalOf("argv");
    private static readonly int Argc = Exec.OrdinalOf("argc");
    private static readonly int StartTime = Exec.OrdinalOf("start_time");

    public bool TryMeasure(ReadOnlySpan<byte> record, out int stringBytes)
    {
        var fine = ProcessExecView.TryRead(record, out var view);
        stringBytes = fine ? view.Filename.Length + view.Argv.Length + RecordText.CommBytes : 0;
        return fine;
    }

    public void Write(ReadOnlySpan<byte> record, BatchBuilder row, long clockOffset)
    {
        ProcessExecView.TryRead(record, out var view);
        ref readonly var process = ref view.Fixed;
        row.SetUInt32(Pid, process.Pid);
        row.SetUInt32(Ppid, process.Ppid);
        row.SetUInt32(Uid, process.Uid);
        row.SetUInt32(Gid, process.Gid);
        row.SetUInt64(CgroupId, process.CgroupId);
        row.SetUInt64(Inode, process.Inode);
        row.TrySetDictionary(Comm, RecordText.Comm(in process.Comm));
        row.TrySetDictionary(Filename, view.Filename);
        row.TrySetString(Argv, view.Argv);
        row.SetUInt16(Argc, process.Argc);
        row.SetTime(StartTime, (long)(process.StartTimeNs / 1000) + clockOffset);
    }
}
