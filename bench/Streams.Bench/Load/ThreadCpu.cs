using System.Runtime.InteropServices;

namespace Streams.Bench.Load;

/// <summary>CPU time of the calling thread (clock_gettime(2), CLOCK_THREAD_CPUTIME_ID), so that a part of a thread's work can be charged apart.</summary>
internal static partial class ThreadCpu
{
    private const int ThreadClock = 3;

    public static double Seconds()
    {
        Read(ThreadClock, out var time);
        return time.Seconds + (time.Nanoseconds / 1e9);
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int Read(int clock, out TimeSpec time);

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
