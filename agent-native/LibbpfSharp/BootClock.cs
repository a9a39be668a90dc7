using LibbpfSharp.Interop;

namespace LibbpfSharp;

/// <summary>The clock of bpf_ktime_get_boot_ns(): time since boot, suspend included.</summary>
public static class BootClock
{
    private const int ClockRealtime = 0;
    private const int ClockBoottime = 7;

    /// <summary>Nanoseconds since boot.</summary>
    public static ulong NowNs => (ulong)Read(ClockBoottime);

    /// <summary>Wall clock (Unix epoch) minus boot clock, in microseconds: add it to a boot time to get wall time.</summary>
    /// <remarks>The best of five samples, so that being descheduled between the two reads does not matter.</remarks>
    public static long WallOffsetMicroseconds()
    {
        var best = long.MaxValue;
        long offset = 0;
        for (var sample = 0; sample < 5; sample++)
        {
            var before = Read(ClockBoottime);
            var wall = Read(ClockRealtime);
            var after = Read(ClockBoottime);
            if (after - before < best)
            {
                best = after - before;
                offset = (wall - before - (best / 2)) / 1000;
            }
        }
        return offset;
    }

    private static unsafe long Read(int clock)
    {
        var time = stackalloc long[2];
        if (Libc.clock_gettime(clock, time) < 0)
        {
            BpfException.ThrowLastError($"read clock {clock}");
        }
        return (time[0] * 1_000_000_000) + time[1];
    }
}
