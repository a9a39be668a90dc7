namespace LibbpfSharp.Probes;

/// <summary>Ways to attach that <see cref="KernelProbe.CanAttach"/> can try.</summary>
public enum AttachPoint
{
    /// <summary>Raw tracepoint with typed arguments, target for example "sched_process_exec".</summary>
    BtfTracepoint,

    /// <summary>Entry of a kernel function, target for example "do_unlinkat".</summary>
    FunctionEntry,

    /// <summary>Exit of a kernel function.</summary>
    FunctionExit,

    /// <summary>LSM hook, target for example "file_open".</summary>
    Lsm,

    /// <summary>Raw tracepoint, target for example "sched_process_exec".</summary>
    RawTracepoint,
}
