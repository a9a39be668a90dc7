using System.Runtime.InteropServices;

namespace LibbpfSharp.Interop;

/// <summary>The few functions of glibc that a ring reader, a bpffs mount and a perf event need.</summary>
internal static partial class Libc
{
    internal const string Name = "libc";

    internal const int PROT_READ = 1;
    internal const int PROT_WRITE = 2;
    internal const int MAP_SHARED = 1;
    internal const int EPOLL_CLOEXEC = 0x80000;
    internal const int EPOLL_CTL_ADD = 1;
    internal const uint EPOLLIN = 1;
    internal const int EINTR = 4;
    internal const int ENOENT = 2;
    internal const int EAGAIN = 11;
    internal const long BPF_FS_MAGIC = 0xcafe4a11;

    /// <summary>struct epoll_event: packed on x86-64 only (eventpoll.h, EPOLL_PACKED), so the buffer is sized for both.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 16)]
    internal struct epoll_event
    {
        internal uint events;
    }

    [LibraryImport(Name, SetLastError = true)]
    internal static partial nint mmap(nint addr, nuint length, int prot, int flags, int fd, nint offset);

    [LibraryImport(Name, SetLastError = true)]
    internal static partial int munmap(nint addr, nuint length);

    [LibraryImport(Name, SetLastError = true)]
    internal static partial int close(int fd);

    [LibraryImport(Name, SetLastError = true)]
    internal static unsafe partial nint read(int fd, byte* buf, nuint count);

    [LibraryImport(Name, SetLastError = true)]
    internal static partial int epoll_create1(int flags);

    [LibraryImport(Name, SetLastError = true)]
    internal static unsafe partial int epoll_ctl(int epfd, int op, int fd, epoll_event* ev);

    [LibraryImport(Name, SetLastError = true)]
    internal static unsafe partial int epoll_wait(int epfd, epoll_event* events, int maxevents, int timeout);

    [LibraryImport(Name, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int mount(string source, string target, string filesystemtype, nuint mountflags, string? data);

    [LibraryImport(Name, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int umount2(string target, int flags);

    /// <summary>buf: struct statfs, of which f_type is the first long.</summary>
    [LibraryImport(Name, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static unsafe partial int statfs(string path, long* buf);

    /// <summary>args: the va_list that a callback was given, see LibbpfLog.</summary>
    [LibraryImport(Name)]
    internal static unsafe partial int vsnprintf(byte* s, nuint n, byte* format, nint args);

    /// <summary>Variadic in C, but an assembly routine that reads integer registers only, so a fixed signature is the same call.</summary>
    [LibraryImport(Name, SetLastError = true)]
    internal static unsafe partial nint syscall(nint number, void* attr, nint pid, nint cpu, nint group, nint flags);

    [LibraryImport(Name, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int open(string path, int flags, int mode);

    [LibraryImport(Name, SetLastError = true)]
    internal static partial int flock(int fd, int operation);

    [LibraryImport(Name)]
    internal static partial int malloc_trim(nuint pad);

    /// <summary>buf: struct stat, of which st_ino is the second word on 64-bit Linux.</summary>
    [LibraryImport(Name, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static unsafe partial int stat(string path, ulong* buf);

    /// <summary>tp: struct timespec.</summary>
    [LibraryImport(Name, SetLastError = true)]
    internal static unsafe partial int clock_gettime(int clock, long* tp);
}
