using System.Runtime.InteropServices;
using LibbpfSharp.Interop;

namespace LibbpfSharp;

/// <summary>The BPF programs that are running at this moment, on any CPU.</summary>
public static class RunningPrograms
{
    private const int MembarrierCmdGlobal = 1;

    // What an interrupted program needs at the very most where the kernel does not say (nohz_full, a filter of system calls).
    private static readonly TimeSpan WithoutBarrier = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// Waits until all programs that run now have ended: those that start later see what was written before. Takes 5 to 50 ms.
    /// </summary>
    /// <remarks>
    /// Programs run inside rcu_read_lock (kernel/trace/bpf_trace.c: __bpf_trace_run), and MEMBARRIER_CMD_GLOBAL is synchronize_rcu
    /// (kernel/sched/membarrier.c). Not for sleepable programs.
    /// </remarks>
    public static void WaitForEnd()
    {
        var number = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 283 : 324;
        if (Libc.membarrier(number, MembarrierCmdGlobal, 0, 0) != 0)
        {
            Thread.Sleep(WithoutBarrier);
        }
    }
}
