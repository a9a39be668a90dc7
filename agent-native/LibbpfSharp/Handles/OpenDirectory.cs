using System.Runtime.InteropServices;
using LibbpfSharp.Interop;
using Microsoft.Win32.SafeHandles;

namespace LibbpfSharp.Handles;

/// <summary>Descriptors of directories, which File.OpenHandle refuses: cgroups are attached to, bpffs directories locked by them.</summary>
public static class OpenDirectory
{
    private const int O_RDONLY_DIRECTORY_CLOEXEC = 0x10000 | 0x80000;
    private const int LOCK_EX_NB = 2 | 4;
    private const int LOCK_UN = 8;

    // O_DIRECTORY is 0x4000 on AArch64 (asm-generic differs), 0x10000 on x86-64.
    private static readonly int OpenFlags = RuntimeInformation.ProcessArchitecture == Architecture.Arm64
        ? 0x4000 | 0x80000
        : O_RDONLY_DIRECTORY_CLOEXEC;

    /// <summary>Opens a directory for reading.</summary>
    /// <exception cref="BpfException">It does not exist or is no directory.</exception>
    public static SafeFileHandle Open(string path)
    {
        var descriptor = Libc.open(path, OpenFlags, 0);
        if (descriptor < 0)
        {
            BpfException.ThrowLastError($"open directory {path}");
        }
        return new SafeFileHandle(descriptor, ownsHandle: true);
    }

    /// <summary>Takes an exclusive flock on an open directory without waiting. The kernel drops it with the descriptor.</summary>
    /// <returns>False when another open file has it.</returns>
    public static bool TryLock(SafeFileHandle directory) => Libc.flock((int)directory.DangerousGetHandle(), LOCK_EX_NB) == 0;

    /// <summary>Gives the lock up at once: closing alone would leave it to a child that is between fork and exec.</summary>
    public static void Unlock(SafeFileHandle directory) => _ = Libc.flock((int)directory.DangerousGetHandle(), LOCK_UN);
}
