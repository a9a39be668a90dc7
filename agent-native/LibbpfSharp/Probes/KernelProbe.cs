using System.Runtime.InteropServices;
using LibbpfSharp.Interop;

namespace LibbpfSharp.Probes;

/// <summary>What this kernel lets this process do, found out by trying. Nothing stays loaded or attached.</summary>
public static class KernelProbe
{
    private const string KernelBtf = "/sys/kernel/btf/vmlinux";

    // enum bpf_attach_type
    private const int BpfCgroupInet4Connect = 10;
    private const int BpfTraceRawTp = 23;
    private const int BpfTraceFentry = 24;
    private const int BpfTraceFexit = 25;
    private const int BpfLsmMac = 27;

    /// <summary>Version of the libbpf in use.</summary>
    public static Version LibbpfVersion => new((int)Libbpf.libbpf_major_version(), (int)Libbpf.libbpf_minor_version());

    /// <summary>True when the kernel shows its own types, which CO-RE and tp_btf need.</summary>
    public static bool HasKernelBtf => File.Exists(KernelBtf);

    /// <summary>Loads a minimal program of the type.</summary>
    public static ProbeResult ProgramType(BpfProgramType type) =>
        Answer(Libbpf.libbpf_probe_bpf_prog_type(type, 0), $"program type {type}");

    /// <summary>Creates a map of the type.</summary>
    public static ProbeResult MapType(BpfMapType type) => Answer(Libbpf.libbpf_probe_bpf_map_type(type, 0), $"map type {type}");

    /// <summary>Loads a program of the type that calls the helper, and reads in the verifier's log whether it knows it there.</summary>
    /// <param name="type">Program type. Ext and StructOps, which need a target of their own, are answered "not supported".</param>
    /// <param name="helper">BPF_FUNC_* number.</param>
    /// <remarks>Not libbpf_probe_bpf_helper: that of 1.1 does not know newer kernels' words for a refusal and says yes.</remarks>
    public static unsafe ProbeResult Helper(BpfProgramType type, uint helper)
    {
        const int logBytes = 4096;
        var what = $"helper {helper} in {type}";
        var log = stackalloc byte[logBytes];
        log[0] = 0;
        var options = new Libbpf.bpf_prog_load_opts
        {
            sz = (nuint)sizeof(Libbpf.bpf_prog_load_opts),
            log_level = 1,
            log_size = logBytes,
            log_buf = log,
        };
        if (type is BpfProgramType.Tracing or BpfProgramType.Lsm)
        {
            options.expected_attach_type = type == BpfProgramType.Lsm ? BpfLsmMac : BpfTraceRawTp;
            var id = Libbpf.libbpf_find_vmlinux_btf_id(
                type == BpfProgramType.Lsm ? "file_open" : "sched_process_exec", options.expected_attach_type);
            options.attach_btf_id = (uint)Math.Max(id, 0);
        }
        else if (type == BpfProgramType.CgroupSockAddr)
        {
            options.expected_attach_type = BpfCgroupInet4Connect;
        }
        // call helper; exit. The arguments are not set, so a known helper is refused for them, later.
        var instructions = stackalloc ulong[] { 0x85 | ((ulong)helper << 32), 0x95 };
        var program = Libbpf.bpf_prog_load(type, "probe", "Dual BSD/GPL", instructions, 2, &options);
        if (program >= 0)
        {
            _ = Libc.close(program);
            return new ProbeResult(true, 0, what);
        }
        var words = Marshal.PtrToStringUTF8((nint)log) ?? "";
        // kernel/bpf/verifier.c: check_helper_call(). Without a log the program was refused before it was read.
        var known = words.Length > 0
            && !words.Contains("invalid func ", StringComparison.Ordinal)
            && !words.Contains("unknown func ", StringComparison.Ordinal)
            && !words.Contains("cannot use helper", StringComparison.Ordinal);
        return known ? new ProbeResult(true, 0, what) : new ProbeResult(false, -program, $"{what}: not supported");
    }

    /// <summary>Loads a program that does nothing for the target and attaches it for a moment.</summary>
    public static unsafe ProbeResult CanAttach(AttachPoint point, string target)
    {
        var what = $"{point} {target}";
        LibbpfLog.Begin();
        var options = new Libbpf.bpf_prog_load_opts { sz = (nuint)sizeof(Libbpf.bpf_prog_load_opts) };
        var type = point switch
        {
            AttachPoint.Lsm => BpfProgramType.Lsm,
            AttachPoint.RawTracepoint => BpfProgramType.RawTracepoint,
            _ => BpfProgramType.Tracing,
        };
        if (point != AttachPoint.RawTracepoint)
        {
            options.expected_attach_type = point switch
            {
                AttachPoint.BtfTracepoint => BpfTraceRawTp,
                AttachPoint.FunctionEntry => BpfTraceFentry,
                AttachPoint.FunctionExit => BpfTraceFexit,
                _ => BpfLsmMac,
            };
            var id = Libbpf.libbpf_find_vmlinux_btf_id(target, options.expected_attach_type);
            if (id < 0)
            {
                return Refused(what, "no such target", id);
            }
            options.attach_btf_id = (uint)id;
        }
        // r0 = 0; exit
        var instructions = stackalloc ulong[] { 0xb7, 0x95 };
        var program = Libbpf.bpf_prog_load(type, "probe", "Dual BSD/GPL", instructions, 2, &options);
        if (program < 0)
        {
            return Refused(what, "load refused", program);
        }
        var link = Libbpf.bpf_raw_tracepoint_open(point == AttachPoint.RawTracepoint ? target : null, program);
        _ = Libc.close(program);
        if (link < 0)
        {
            return Refused(what, "attach refused", link);
        }
        _ = Libc.close(link);
        LibbpfLog.End();
        return new ProbeResult(true, 0, what);
    }

    /// <summary>Gives memory that libbpf freed back to the system: glibc keeps about 6 MB after kernel BTF was read.</summary>
    public static void TrimNativeHeap() => Libc.malloc_trim(0);

    private static ProbeResult Refused(string what, string how, int result)
    {
        var log = LibbpfLog.End();
        var reason = Marshal.GetPInvokeErrorMessage(-result);
        return new ProbeResult(false, -result, log.Length == 0 ? $"{what}: {how}: {reason}" : $"{what}: {how}: {reason}\n{log}");
    }

    private static ProbeResult Answer(int result, string what) => result switch
    {
        1 => new ProbeResult(true, 0, what),
        0 => new ProbeResult(false, 0, $"{what}: not supported"),
        _ => new ProbeResult(false, -result, $"{what}: {Marshal.GetPInvokeErrorMessage(-result)}"),
    };
}
