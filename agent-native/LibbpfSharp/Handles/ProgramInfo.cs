using System.Runtime.InteropServices;
using LibbpfSharp.Interop;

namespace LibbpfSharp.Handles;

/// <summary>What the kernel knows of a loaded program (struct bpf_prog_info).</summary>
/// <param name="Id">Kernel-wide id.</param>
/// <param name="RunCount">Runs, 0 unless kernel.bpf_stats_enabled is set.</param>
/// <param name="RunTimeNs">Total time of the runs in nanoseconds, 0 unless kernel.bpf_stats_enabled is set.</param>
/// <param name="RecursionMisses">
/// Times the program was skipped because it was running on that CPU already (kernel 5.12; raw tracepoints and tp_btf since
/// 6.1). Events that it never saw: nothing else counts them.
/// </param>
/// <param name="VerifiedInstructions">Instructions the verifier walked.</param>
public readonly record struct ProgramInfo(uint Id, ulong RunCount, ulong RunTimeNs, ulong RecursionMisses, uint VerifiedInstructions)
{
    // Offsets of include/uapi/linux/bpf.h, append-only: a kernel that is older fills less and leaves zeros.
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    internal struct bpf_prog_info
    {
        [FieldOffset(4)] public uint Id;
        [FieldOffset(192)] public ulong RunTimeNs;
        [FieldOffset(200)] public ulong RunCount;
        [FieldOffset(208)] public ulong RecursionMisses;
        [FieldOffset(216)] public uint VerifiedInstructions;
    }

    /// <summary>Reads it for a program's descriptor.</summary>
    /// <exception cref="BpfException">The descriptor is no program's.</exception>
    public static unsafe ProgramInfo Read(int descriptor)
    {
        bpf_prog_info info = default;
        var length = (uint)sizeof(bpf_prog_info);
        BpfException.Check(Libbpf.bpf_obj_get_info_by_fd(descriptor, &info, &length), "program info");
        return new ProgramInfo(info.Id, info.RunCount, info.RunTimeNs, info.RecursionMisses, info.VerifiedInstructions);
    }

    /// <summary>Reads it for a program of any process. Null: it is gone.</summary>
    /// <exception cref="BpfException">EPERM: needs CAP_SYS_ADMIN.</exception>
    public static ProgramInfo? TryReadById(uint id)
    {
        var descriptor = Libbpf.bpf_prog_get_fd_by_id(id);
        if (descriptor == -Libc.ENOENT)
        {
            return null;
        }
        BpfException.Check(descriptor, $"open program {id}");
        try
        {
            return Read(descriptor);
        }
        finally
        {
            _ = Libc.close(descriptor);
        }
    }
}
