using System.Runtime.InteropServices;

namespace Streams.Agent.Modules.Observability.Sensor.Records;

/// <summary>A process is gone: its last thread has exited. Mirror of struct process_exit_record.</summary>
[StructLayout(LayoutKind.Explicit, Size = ByteSize)]
public struct ProcessExitRecord
{
    /// <summary>Size of the fixed part in bytes.</summary>
    public const int ByteSize = 120;

    [FieldOffset(0)] public RecordHeader Header;
    [FieldOffset(64)] public ulong CgroupId;
    [FieldOffset(72)] public ulong LifetimeNs;
    [FieldOffset(80)] public uint Pid;
    [FieldOffset(84)] public uint Ppid;
    [FieldOffset(88)] public uint Uid;
    [FieldOffset(92)] public uint Gid;
    /// <summary>NUL-padded.</summary>
    [FieldOffset(96)] public Bytes16 Comm;
    /// <summary>The status byte, 0 to 255.</summary>
    [FieldOffset(112)] public int ExitCode;
    /// <summary>The signal that ended it, or 0.</summary>
    [FieldOffset(116)] public byte ExitSignal;
    [FieldOffset(117)] public byte CoreDumped;
    [FieldOffset(118)] public ushort Reserved;

    public static unsafe MirrorLayout Mirror
    {
        get
        {
            ProcessExitRecord r = default;
            var origin = (byte*)&r;
            return new MirrorLayout("process_exit_record", sizeof(ProcessExitRecord),
            [
                new("header", (int)((byte*)&r.Header - origin), sizeof(RecordHeader)),
                new("cgroup_id", (int)((byte*)&r.CgroupId - origin), sizeof(ulong)),
                new("lifetime_ns", (int)((byte*)&r.LifetimeNs - origin), sizeof(ulong)),
                new("pid", (int)((byte*)&r.Pid - origin), sizeof(uint)),
                new("ppid", (int)((byte*)&r.Ppid - origin), sizeof(uint)),
                new("uid", (int)((byte*)&r.Uid - origin), sizeof(uint)),
                new("gid", (int)((byte*)&r.Gid - origin), sizeof(uint)),
                new("comm", (int)((byte*)&r.Comm - origin), sizeof(Bytes16)),
                new("exit_code", (int)((byte*)&r.ExitCode - origin), sizeof(int)),
                new("exit_signal", (int)((byte*)&r.ExitSignal - origin), sizeof(byte)),
                new("core_dumped", (int)((byte*)&r.CoreDumped - origin), sizeof(byte)),
                new("reserved", (int)((byte*)&r.Reserved - origin), sizeof(ushort)),
            ]);
        }
    }
}
