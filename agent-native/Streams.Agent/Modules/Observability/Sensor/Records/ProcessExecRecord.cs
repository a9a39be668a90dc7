using System.Runtime.InteropServices;

namespace Streams.Agent.Modules.Observability.Sensor.Records;

/// <summary>A program was started. The fixed part; file name and argv follow it. Mirror of struct process_exec_record.</summary>
[StructLayout(LayoutKind.Explicit, Size = ByteSize)]
public struct ProcessExecRecord
{
    /// <summary>Size of the fixed part in bytes.</summary>
    public const int ByteSize = 128;

    [FieldOffset(0)] public RecordHeader Header;
    /// <summary>Start of the process (not of the exec), nanoseconds of CLOCK_BOOTTIME.</summary>
    [FieldOffset(64)] public ulong StartTimeNs;
    [FieldOffset(72)] public ulong CgroupId;
    /// <summary>Of the executable.</summary>
    [FieldOffset(80)] public ulong Inode;
    [FieldOffset(88)] public uint Pid;
    [FieldOffset(92)] public uint Ppid;
    [FieldOffset(96)] public uint Uid;
    [FieldOffset(100)] public uint Gid;
    /// <summary>NUL-padded.</summary>
    [FieldOffset(104)] public Bytes16 Comm;
    /// <summary>65535 when there are more.</summary>
    [FieldOffset(120)] public ushort Argc;
    /// <summary>Bytes of the path that follow the fixed part.</summary>
    [FieldOffset(122)] public ushort FilenameLength;
    /// <summary>Bytes of argv that follow the path, NUL between two arguments.</summary>
    [FieldOffset(124)] public ushort ArgvLength;
    [FieldOffset(126)] public ushort Reserved;

    public static unsafe MirrorLayout Mirror
    {
        get
        {
            ProcessExecRecord r = default;
            var origin = (byte*)&r;
            return new MirrorLayout("process_exec_record", sizeof(ProcessExecRecord),
            [
                new("header", (int)((byte*)&r.Header - origin), sizeof(RecordHeader)),
                new("start_time_ns", (int)((byte*)&r.StartTimeNs - origin), sizeof(ulong)),
                new("cgroup_id", (int)((byte*)&r.CgroupId - origin), sizeof(ulong)),
                new("inode", (int)((byte*)&r.Inode - origin), sizeof(ulong)),
                new("pid", (int)((byte*)&r.Pid - origin), sizeof(uint)),
                new("ppid", (int)((byte*)&r.Ppid - origin), sizeof(uint)),
                new("uid", (int)((byte*)&r.Uid - origin), sizeof(uint)),
                new("gid", (int)((byte*)&r.Gid - origin), sizeof(uint)),
                new("comm", (int)((byte*)&r.Comm - origin), sizeof(Bytes16)),
                new("argc", (int)((byte*)&r.Argc - origin), sizeof(ushort)),
                new("filename_length", (int)((byte*)&r.FilenameLength - origin), sizeof(ushort)),
                new("argv_length", (int)((byte*)&r.ArgvLength - origin), sizeof(ushort)),
                new("reserved", (int)((byte*)&r.Reserved - origin), sizeof(ushort)),
            ]);
        }
    }
}
