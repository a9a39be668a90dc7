using System.Runtime.InteropServices;

namespace Streams.Wire.Interop;

/// <summary>mmap(2) family, for the key arena. Constants are those of Linux on x86-64 and arm64 (asm-generic/mman-common.h).</summary>
internal static unsafe partial class Memory
{
    private const string Library = "libc";

    internal const int ProtNone = 0;
    internal const int ProtReadWrite = 3;
    internal const int MapPrivateAnonymous = 0x22;
    internal const int AdviseDontDump = 16;

    internal static readonly void* MapFailed = (void*)-1;

    [LibraryImport(Library, SetLastError = true)]
    internal static partial void* mmap(void* addr, nuint length, int prot, int flags, int fd, nint offset);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int munmap(void* addr, nuint length);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int mprotect(void* addr, nuint len, int prot);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int mlock(void* addr, nuint len);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int madvise(void* addr, nuint length, int advice);
}
