using Streams.Agent.Processes;

namespace Streams.Agent.Modules.Observability;

/// <summary>The distance between the wall clock and the clock that the kernel side stamps with (CLOCK_BOOTTIME).</summary>
internal static class BootClock
{
    /// <summary>
    /// Wall minus boot clock in microseconds, now. The boot clock is read before and after the wall clock and the middle taken, so that the
    /// error is half of what the three calls took (below 1 µs unless the thread is preempted in between).
    /// </summary>
    public static long OffsetMicroseconds()
    {
        Libc.clock_gettime(Libc.ClockBoottime, out var before);
        Libc.clock_gettime(Libc.ClockRealtime, out var wall);
        Libc.clock_gettime(Libc.ClockBoottime, out var after);
        return (Nanoseconds(wall) - ((Nanoseconds(before) + Nanoseconds(after)) / 2)) / 1000;
    }

    private static long Nanoseconds(Libc.Timespec time) => (time.Seconds * 1_000_000_000) + time.Nanoseconds;
}
