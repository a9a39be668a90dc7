using System.Runtime.InteropServices;

namespace Streams.Schema;

internal static partial class Interop
{
    /// <summary>liblz4, block interface only.</summary>
    internal static unsafe partial class Lz4
    {
        private const string Library = "liblz4";

        static Lz4() => NativeLibraries.Register();

        /// <returns>Bytes written, 0 when <paramref name="capacity"/> is too small.</returns>
        [LibraryImport(Library)]
        internal static partial int LZ4_compress_default(byte* source, byte* destination, int size, int capacity);

        /// <returns>Bytes written, negative for malformed input or when <paramref name="capacity"/> is too small.</returns>
        [LibraryImport(Library)]
        internal static partial int LZ4_decompress_safe(byte* source, byte* destination, int size, int capacity);
    }
}
