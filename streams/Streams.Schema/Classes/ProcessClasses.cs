namespace Streams.Schema;

/// <summary>Process family, stamped by the kernel probes.</summary>
public static class ProcessClasses
{
    /// <summary>Bits of <c>flags</c> in <see cref="Exec"/>.</summary>
    [Flags]
    public enum ExecFlags : uint
    {
        None = 0,
        ArgvTruncated = 1,
        FilenameTruncated = 2,
        ReadFault = 4,
    }

    public static EventClass Exec { get; } = new(
        1, "process_exec", 1, PriorityClass.Event, "agent.observability", EventProducer.Kernel,
        "A program was executed. flags: bit 0 argv truncated, bit 1 filename truncated, bit 2 a user read faulted (argv incomplete).",
        new Column(16, "pid", ColumnType.UInt32, "process id (thread group) in the host's namespace"),
        new Column(17, "ppid", ColumnType.UInt32, "parent's process id"),
        new Column(18, "uid", ColumnType.UInt32, "effective user id"),
        new Column(19, "gid", ColumnType.UInt32, "effective group id"),
        new Column(20, "cgroup_id", ColumnType.UInt64, "id of the cgroup v2"),
        new Column(21, "inode", ColumnType.UInt64, "inode of the executable"),
        new Column(22, "comm", ColumnType.Dictionary, "task name after the exec"),
        new Column(23, "filename", ColumnType.Dictionary, "path that was executed"),
        new Column(24, "argv", ColumnType.String, "arguments separated by NUL: splitByChar('\\0', argv)"),
        new Column(25, "argc", ColumnType.UInt16, "number of arguments, also when argv is truncated"),
        new Column(26, "start_time", ColumnType.DateTime64Micro, "start of the process"));

    public static EventClass Exit { get; } = new(
        2, "process_exit", 1, PriorityClass.Event, "agent.observability", EventProducer.Kernel,
        "The last thread of a process ended.",
        new Column(16, "pid", ColumnType.UInt32, "process id"),
        new Column(17, "ppid", ColumnType.UInt32, "parent's process id"),
        new Column(18, "uid", ColumnType.UInt32, "effective user id"),
        new Column(19, "gid", ColumnType.UInt32, "effective group id"),
        new Column(20, "cgroup_id", ColumnType.UInt64, "id of the cgroup v2"),
        new Column(21, "comm", ColumnType.Dictionary, "task name"),
        new Column(22, "exit_code", ColumnType.Int32, "status byte given to exit(2), 0 when killed"),
        new Column(23, "exit_signal", ColumnType.UInt8, "signal that ended it, 0 for none"),
        new Column(24, "lifetime_us", ColumnType.UInt64, "microseconds from start to end"));
}
