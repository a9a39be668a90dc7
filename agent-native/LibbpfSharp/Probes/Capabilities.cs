using System.Globalization;

namespace LibbpfSharp.Probes;

/// <summary>The effective capabilities of this process (capabilities(7)).</summary>
/// <param name="Mask">CapEff of /proc/self/status.</param>
public readonly record struct Capabilities(ulong Mask)
{
    private const int CapNetAdmin = 12;
    private const int CapSysAdmin = 21;
    private const int CapSysResource = 24;
    private const int CapPerfmon = 38;
    private const int CapBpf = 39;

    /// <summary>Load programs, create maps. Included in SYS_ADMIN.</summary>
    public bool Bpf => Has(CapBpf) || SysAdmin;

    /// <summary>Trace: tracepoints, kernel memory, perf events. Included in SYS_ADMIN.</summary>
    public bool Perfmon => Has(CapPerfmon) || SysAdmin;

    /// <summary>Programs on cgroups, interfaces and sockets.</summary>
    public bool NetAdmin => Has(CapNetAdmin);

    /// <summary>Everything of BPF, and mount a bpffs.</summary>
    public bool SysAdmin => Has(CapSysAdmin);

    /// <summary>Raise RLIMIT_MEMLOCK, which only kernels before 5.11 charge maps to.</summary>
    public bool SysResource => Has(CapSysResource);

    /// <summary>Reads them.</summary>
    public static Capabilities Read()
    {
        foreach (var line in File.ReadLines("/proc/self/status"))
        {
            if (line.StartsWith("CapEff:", StringComparison.Ordinal))
            {
                return new Capabilities(ulong.Parse(line.AsSpan(7).Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture));
            }
        }
        return default;
    }

    private bool Has(int bit) => (Mask >> bit & 1) != 0;
}
