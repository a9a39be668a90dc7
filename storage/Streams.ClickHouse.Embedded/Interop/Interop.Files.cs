using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Streams.ClickHouse.Embedded;

internal static partial class Interop
{
    internal static unsafe partial class Files
    {
        // include/uapi/linux/memfd.h and asm-generic/fcntl.h
        private const uint MFD_CLOEXEC = 1;
        private const int EINTR = 4;
        private const int O_CLOEXEC = 0x80000;

        [LibraryImport(Libraries.C, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
        private static partial int memfd_create(string name, uint flags);

        [LibraryImport(Libraries.C, SetLastError = true)]
        private static partial int pipe2(int* descriptors, int flags);

        [LibraryImport(Libraries.C, SetLastError = true)]
        private static partial nint read(SafeFileHandle descriptor, byte* buffer, nuint length);

        /// <summary>Blocks until there is something; 0 is the end. RandomAccess refuses what cannot seek.</summary>
        internal static int Read(SafeFileHandle pipe, Span<byte> buffer)
        {
            fixed (byte* first = buffer)
            {
                while (true)
                {
                    var count = read(pipe, first, (nuint)buffer.Length);
                    if (count >= 0)
                        return (int)count;
                    if (Marshal.GetLastPInvokeError() != EINTR)
                        throw Failed("read");
                }
            }
        }

        /// <summary>An anonymous file in memory; gone with its last descriptor.</summary>
        internal static SafeFileHandle CreateMemoryFile(string name)
        {
            var descriptor = memfd_create(name, MFD_CLOEXEC);
            return descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : throw Failed("memfd_create");
        }

        internal static (SafeFileHandle Reader, SafeFileHandle Writer) CreatePipe()
        {
            var ends = stackalloc int[2];
            return pipe2(ends, O_CLOEXEC) == 0
                ? (new SafeFileHandle(ends[0], ownsHandle: true), new SafeFileHandle(ends[1], ownsHandle: true))
                : throw Failed("pipe2");
        }

        private static IOException Failed(string call) => new($"{call}: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");
    }
}
