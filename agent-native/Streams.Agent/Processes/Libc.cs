using System.Runtime.InteropServices;

namespace Streams.Agent.Processes;

/// <summary>The few calls of libc that .NET does not offer. All blittable; signatures as in the man pages of section 2 and 3.</summary>
internal static partial class Libc
{
    public const int ClockRealtime = 0;
    public const int ClockBoottime = 7;
    public const int LockExclusive = 2;
    public const int LockNonBlocking = 4;
    private const int CloseOnExec = 0x80000;

    [StructLayout(LayoutKind.Sequential)]
    public struct Timespec
    {
        public long Seconds;
        public long Nanoseconds;
    }

    /// <returns>Id of the calling thread in this process's pid namespace.</returns>
    [LibraryImport("libc")]
    public static partial int gettid();

    /// <returns>Effective user id.</returns>
    [LibraryImport("libc")]
    public static partial uint geteuid();

    /// <returns>0; cannot fail for the clocks used here.</returns>
    [LibraryImport("libc")]
    public static partial int clock_gettime(int clock, out Timespec time);

    /// <summary>glibc: gives free heap pages back to the kernel.</summary>
    /// <returns>1 when memory was given back.</returns>
    [LibraryImport("libc")]
    public static partial int malloc_trim(nuint keep);

    /// <returns>0, or -1 with errno (EWOULDBLOCK: another process holds it).</returns>
    [LibraryImport("libc", SetLastError = true)]
    public static partial int flock(int descriptor, int operation);

    /// <summary>Makes the names in a folder durable: after a file was made or renamed there. .NET opens no folder.</summary>
    /// <exception cref="IOException">The kernel said no.</exception>
    public static void SyncDirectory(string path)
    {
        var descriptor = open(path, CloseOnExec);
        if (descriptor < 0)
            throw new IOException($"{path}: errno {Marshal.GetLastPInvokeError()}");
        var result = fsync(descriptor);
        var errno = Marshal.GetLastPInvokeError();
        _ = close(descriptor);
        if (result != 0)
            throw new IOException($"{path}: errno {errno}");
    }

    /// <returns>A descriptor, or -1 with errno.</returns>
    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags);

    /// <returns>0, or -1 with errno.</returns>
    [LibraryImport("libc", SetLastError = true)]
    private static partial int fsync(int descriptor);

    /// <returns>0, or -1 with errno.</returns>
    [LibraryImport("libc", SetLastError = true)]
    private static partial int close(int descriptor);
}
