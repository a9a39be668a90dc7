using LibbpfSharp;
using LibbpfSharp.Probes;

namespace Streams.Agent.Doctor;

/// <summary>What the probes need from the kernel, found out by loading and attaching, not by version alone.</summary>
internal static class KernelChecks
{
    /// <summary>Atomic fetch-and-add in BPF, with which every record gets its number, is in 5.12 and newer.</summary>
    private static readonly Version OldestKernel = new(5, 12);

    public static void Add(List<DoctorCheck> checks)
    {
        var kernel = Environment.OSVersion.Version;
        checks.Add(DoctorCheck.Need("kernel", kernel >= OldestKernel, kernel.ToString(3), $"boot a kernel of version {OldestKernel} or newer"));
        checks.Add(DoctorCheck.Need("btf", KernelProbe.HasKernelBtf, "/sys/kernel/btf/vmlinux",
            "boot a kernel with CONFIG_DEBUG_INFO_BTF=y (the kernels of Debian 12, Ubuntu 22.04 and RHEL 9 have it)"));

        var capabilities = Capabilities.Read();
        checks.Add(DoctorCheck.Need("capabilities", capabilities is { Bpf: true, Perfmon: true }, $"effective 0x{capabilities.Mask:x}",
            "run as root, or grant CAP_BPF and CAP_PERFMON (and CAP_SYS_ADMIN to mount a bpffs)"));

        Attach(checks, true, AttachPoint.BtfTracepoint, "sched_process_exec", "process_exec");
        Attach(checks, true, AttachPoint.BtfTracepoint, "sched_process_exit", "process_exit");
        Attach(checks, true, AttachPoint.BtfTracepoint, "inet_sock_set_state", "network_connect, network_accept and network_close");
        Map(checks, BpfMapType.RingBuf);
        Map(checks, BpfMapType.PerCpuArray);
        Map(checks, BpfMapType.LruHash);

        const string Enforcement = "not needed today: policies that enforce with it will be refused for this host";
        Attach(checks, false, AttachPoint.Lsm, "file_open", Enforcement);
        Attach(checks, false, AttachPoint.FunctionEntry, "do_unlinkat", Enforcement);
        Program(checks, BpfProgramType.CgroupSockAddr, Enforcement);
        Program(checks, BpfProgramType.Xdp, Enforcement);

        var mount = CgroupFileSystem.FindMount();
        checks.Add(DoctorCheck.Use("cgroup2", mount is not null, mount ?? "not mounted",
            "mount -t cgroup2 none /sys/fs/cgroup/unified (without it network events of excluded cgroups are not filtered)"));
        var bpffs = BpfFileSystem.IsMounted(BpfFileSystem.DefaultPath);
        checks.Add(DoctorCheck.Need("bpffs", bpffs || capabilities.SysAdmin,
            bpffs ? BpfFileSystem.DefaultPath : "not mounted, the agent mounts it", $"mount -t bpf bpf {BpfFileSystem.DefaultPath}"));
        // Since 5.11 maps are charged to the memory cgroup; before, to RLIMIT_MEMLOCK.
        var charged = kernel < new Version(5, 11);
        checks.Add(DoctorCheck.Need("memlock", !charged || capabilities.SysResource, charged ? "maps count against RLIMIT_MEMLOCK" : "maps are charged to the memory cgroup",
            "ulimit -l unlimited, or LimitMEMLOCK=infinity in the unit"));
    }

    private static void Attach(List<DoctorCheck> checks, bool required, AttachPoint point, string target, string use)
    {
        var result = KernelProbe.CanAttach(point, target);
        checks.Add(new DoctorCheck($"attach {Name(point)}/{target}", required, result.Supported, FirstLine(result), result.Supported ? "" : Remedy(result, required, use)));
    }

    private static void Map(List<DoctorCheck> checks, BpfMapType type)
    {
        var result = KernelProbe.MapType(type);
        checks.Add(DoctorCheck.Need($"map {type}", result.Supported, FirstLine(result), Remedy(result, true, "the ring and its counters")));
    }

    private static void Program(List<DoctorCheck> checks, BpfProgramType type, string use)
    {
        var result = KernelProbe.ProgramType(type);
        checks.Add(DoctorCheck.Use($"program {type}", result.Supported, FirstLine(result), Remedy(result, false, use)));
    }

    private static string Name(AttachPoint point) => point switch
    {
        AttachPoint.BtfTracepoint => "tp_btf",
        AttachPoint.FunctionEntry => "fentry",
        AttachPoint.FunctionExit => "fexit",
        AttachPoint.Lsm => "lsm",
        _ => "raw_tp",
    };

    private static string Remedy(ProbeResult result, bool required, string use) =>
        !required ? use
        : result.Errno == 1 ? $"run as root or with CAP_BPF and CAP_PERFMON, and check that lockdown and the container allow BPF; needed for {use}"
        : $"boot a kernel with CONFIG_BPF_SYSCALL, CONFIG_BPF_EVENTS and CONFIG_DEBUG_INFO_BTF; needed for {use}";

    private static string FirstLine(ProbeResult result)
    {
        var end = result.Detail.IndexOf('\n');
        return end < 0 ? result.Detail : result.Detail[..end];
    }
}
