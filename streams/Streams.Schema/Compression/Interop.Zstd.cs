using System.Runtime.InteropServices;

namespace Streams.Schema;

internal static partial class Interop
{
    /// <summary>libzstd: frames written block by block, read at once, with reused contexts (zstd.h, stable interface).</summary>
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

        /// <summary>ZSTD_c_compressionLevel.</summary>
        internal const int CompressionLevel = 100;

        /// <summary>ZSTD_reset_session_only: parameters stay.</summary>
        internal const int SessionOnly = 1;

        /// <summary>ZSTD_e_flush: ends a block.</summary>
        internal const int Flush = 1;

        /// <summary>ZSTD_e_end: ends the frame.</summary>
        internal const int End = 2;

        [LibraryImport(Library)]
        internal static partial nuint ZSTD_CCtx_setParameter(nint context, int parameter, int value);

        [LibraryImport(Library)]
        internal static partial nuint ZSTD_CCtx_reset(nint context, int directive);

        [LibraryImport(Library)]
        internal static partial nuint ZSTD_CCtx_setPledgedSrcSize(nint context, ulong size);

        /// <returns>0 when all is written, the bytes that wait for room, or a code for <see cref="ZSTD_isError"/>.</returns>
        [LibraryImport(Library)]
        internal static partial nuint ZSTD_compressStream2(nint context, Buffer* output, Buffer* input, int directive);

        /// <returns>Bytes written, or a code for <see cref="ZSTD_isError"/>.</returns>
        [LibraryImport(Library)]
        internal static partial nuint ZSTD_decompressDCtx(nint context, byte* destination, nuint capacity, byte* source, nuint size);

        [LibraryImport(Library)]
        internal static partial uint ZSTD_isError(nuint code);

        /// <summary>ZSTD_inBuffer and ZSTD_outBuffer.</summary>
        [StructLayout(LayoutKind.Sequential)]
        internal struct Buffer
        {
            public byte* Start;
            public nuint Size;
            public nuint Position;
        }
    }
}
