using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Streams.Local.Interop;

/// <summary>The few libc calls that .NET has no API for.</summary>
internal static partial class Libc
{
    public const int SigKill = 9;
    public const int SigTerm = 15;
    public const int SigCont = 18;
    public const int SigStop = 19;

    private const string Library = "libc";
    private const int ReadWriteCreateCloseOnExec = 0x2 | 0x40 | 0x80000;
    private const int OwnerReadWrite = 0x180;
    private const int LockExclusive = 2;
    private const int LockNonBlocking = 4;
    private const int AtFdCwd = -100;
    private const uint StatxInode = 0x100;

    /// <summary>open(2) with mode 0600: .NET's own open takes a flock by itself and fails where another holds one, before anything can
    /// be read of the holder.</summary>
    public static SafeFileHandle OpenLockFile(string path) => new(open(path, ReadWriteCreateCloseOnExec, OwnerReadWrite), ownsHandle: true);

    /// <summary>Takes the exclusive flock of an open file; false if another open file has it.</summary>
    public static bool TryLock(SafeHandle file) => flock(file, LockExclusive | LockNonBlocking) == 0;

    public static void Signal(int pid, int signal) => _ = kill(pid, signal);

    /// <summary>The inode number: for a cgroup v2 directory this is the id that the kernel gives BPF programs. 0 if there is
    /// none.</summary>
    public static ulong Inode(string path) => statx(AtFdCwd, path, 0, StatxInode, out var result) == 0 ? result.Inode : 0;

    /// <summary>rmdir(2): Directory.Delete refuses what still shows files, and a cgroup always shows its control files.</summary>
    public static void RemoveDirectory(string path) => _ = rmdir(path);

    /// <summary>lchown(2): links are given, not what they point to.</summary>
    /// <exception cref="IOException">It was refused.</exception>
    public static void ChangeOwner(string path, int user, int group)
    {
        if (lchown(path, user, group) != 0)
            throw new IOException($"{path} cannot be given to user {user}: error {Marshal.GetLastPInvokeError()}");
    }

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int lchown(string path, int user, int group);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int rmdir(string path);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags, int mode);

    [LibraryImport(Library)]
    private static partial int flock(SafeHandle fd, int operation);

    [LibraryImport(Library)]
    private static partial int kill(int pid, int signal);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statx(int directory, string path, int flags, uint mask, out Statx result);

    /// <summary>struct statx of linux/stat.h: 256 bytes, the same on every architecture (struct stat is not).</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct Statx
    {
        [FieldOffset(32)]
        public ulong Inode;
    }
}
