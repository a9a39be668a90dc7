using System.Runtime.InteropServices;

namespace Streams.Bench.Comparisons.Peers;

/// <summary>CPU time of the children of this process that have ended, and of theirs (getrusage(2), RUSAGE_CHILDREN).</summary>
internal static unsafe partial class ChildrenCpu
{
    private const int RusageChildren = -1;

    /// <summary>Fields of struct rusage on 64-bit Linux: two struct timeval of two longs, then 14 longs.</summary>
    private const int Fields = 18;

    public static double Seconds()
    {
        var usage = stackalloc long[Fields];
        return getrusage(RusageChildren, usage) == 0
            ? usage[0] + usage[2] + ((usage[1] + usage[3]) / 1e6)
            : throw new InvalidOperationException("getrusage failed");
    }

    [LibraryImport("libc")]
    private static partial int getrusage(int who, long* usage);
}
