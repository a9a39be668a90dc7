using System.Runtime.InteropServices;
using LibbpfSharp.Interop;

namespace LibbpfSharp.Handles;

/// <summary>A perf event that a program of type perf_event can be attached to.</summary>
public sealed class PerfEvent : SafeHandle
{
    private const int TypeSoftware = 1;
    private const int PerfCountSwCpuClock = 0;
    private const ulong FlagFreq = 1 << 10;
    private const int FlagFdCloexec = 8;

    private PerfEvent(int descriptor)
        : base(-1, ownsHandle: true) => SetHandle(descriptor);

    /// <inheritdoc/>
    public override bool IsInvalid => handle == -1;

    /// <summary>struct perf_event_attr up to PERF_ATTR_SIZE_VER0.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 64)]
    private struct perf_event_attr
    {
        [FieldOffset(0)] public uint Type;
        [FieldOffset(4)] public uint Size;
        [FieldOffset(8)] public ulong Config;
        [FieldOffset(16)] public ulong SampleFrequency;
        [FieldOffset(40)] public ulong Flags;
    }

    /// <summary>The software CPU clock of one CPU, all processes: fires in a timer interrupt.</summary>
    /// <param name="cpu">CPU number.</param>
    /// <param name="frequency">Samples per second; the kernel's limit is kernel.perf_event_max_sample_rate.</param>
    /// <exception cref="BpfException">Needs CAP_PERFMON.</exception>
    public static unsafe PerfEvent OpenCpuClock(int cpu, int frequency)
    {
        var attributes = new perf_event_attr
        {
            Type = TypeSoftware,
            Size = (uint)sizeof(perf_event_attr),
            Config = PerfCountSwCpuClock,
            SampleFrequency = (ulong)frequency,
            Flags = FlagFreq,
        };
        var number = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 241 : 298;
        var descriptor = (int)Libc.syscall(number, &attributes, -1, cpu, -1, FlagFdCloexec);
        if (descriptor < 0)
        {
            BpfException.ThrowLastError("open perf event");
        }
        return new PerfEvent(descriptor);
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => Libc.close((int)handle) == 0;
}
