namespace Streams.Schema;

/// <summary>Decompresses into exactly the declared size, or says no. The context is per thread and released by its finalizer.</summary>
internal static class BatchDecompressor
{
    [ThreadStatic]
    private static ZstdDecompressionHandle? _zstd;

    /// <returns>True when the source is well-formed and fills the destination exactly.</returns>
    internal static unsafe bool TryDecompress(BatchCompression compression, ReadOnlySpan<byte> source, Span<byte> destination)
    {
        if (compression == BatchCompression.None)
        {
            return source.Length == destination.Length && source.TryCopyTo(destination);
        }

        if (source.IsEmpty || destination.IsEmpty)
        {
            return false; // an empty body is stored uncompressed
        }

        fixed (byte* from = source)
        fixed (byte* to = destination)
        {
            if (compression == BatchCompression.Lz4)
            {
                return Interop.Lz4.LZ4_decompress_safe(from, to, source.Length, destination.Length) == destination.Length;
            }

            var context = _zstd ??= new ZstdDecompressionHandle();
            var written = Interop.Zstd.ZSTD_decompressDCtx(
                context.DangerousGetHandle(), to, (nuint)destination.Length, from, (nuint)source.Length);
            GC.KeepAlive(context);
            return written == (nuint)destination.Length; // an error code is above every length
        }
    }
}
