using System.Runtime.InteropServices;

namespace Streams.AgentLink.Spool;

/// <summary>The calls of libc that .NET does not offer; signatures as in the man pages of section 2.</summary>
internal static partial class Libc
{
    internal const int ReadOnly = 0;
    internal const int CloseOnExec = 0x80000;

    /// <returns>0, or -1 with errno.</returns>
    [LibraryImport("libc", SetLastError = true)]
    internal static partial int fdatasync(int descriptor);

    /// <returns>0, or -1 with errno.</returns>
    [LibraryImport("libc", SetLastError = true)]
    internal static partial int fsync(int descriptor);

    /// <returns>A descriptor, or -1 with errno.</returns>
    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int open(string path, int flags);

    /// <returns>0, or -1 with errno.</returns>
    [LibraryImport("libc", SetLastError = true)]
    internal static partial int close(int descriptor);
}
