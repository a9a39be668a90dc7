using System.Runtime.InteropServices;

namespace Streams.Schema;

internal static partial class Interop
{
    /// <summary>libzstd, one-shot interface with reused contexts.</summary>
    internal static unsafe partial class Zstd
    {
        private const string Library = "libzstd";

        static Zstd() => NativeLibraries.Register();

        /// <returns>A context, null when out of memory.</returns>
        [LibraryImport(Library)]
        internal static partial nint ZSTD_createCCtx();

        [LibraryImport(Library)]
        internal static partial nuint ZSTD_freeCCtx(nint context);

        /// <returns>A context, null when out of memory.</returns>
        [LibraryImport(Library)]
        internal static partial nint ZSTD_createDCtx();

        [LibraryImport(Library)]
        internal static partial nuint ZSTD_freeDCtx(nint context);

        /// <returns>Bytes written, or a code for <see cref="ZSTD_isError"/>.</returns>
        [LibraryImport(Library)]
        internal static partial nuint ZSTD_compressCCtx(
            nint context, byte* destination, nuint capacity, byte* source, nuint size, int level);

        /// <returns>Bytes written, or a code for <see cref="ZSTD_isError"/>.</returns>
        [LibraryImport(Library)]
        internal static partial nuint ZSTD_decompressDCtx(nint context, byte* destination, nuint capacity, byte* source, nuint size);

        [LibraryImport(Library)]
        internal static partial uint ZSTD_isError(nuint code);
    }
}
