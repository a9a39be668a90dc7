using Microsoft.Win32.SafeHandles;

namespace Streams.Schema;

/// <summary>A ZSTD_CCtx. With its tables and the buffers of its stream it holds some hundred KB once used, more with larger bodies.</summary>
internal sealed class ZstdCompressionHandle : SafeHandleZeroOrMinusOneIsInvalid
{
    internal ZstdCompressionHandle()
        : base(ownsHandle: true)
    {
        SetHandle(Interop.Zstd.ZSTD_createCCtx());
        if (IsInvalid)
        {
            throw new OutOfMemoryException("ZSTD_createCCtx");
        }

        Interop.Zstd.ZSTD_CCtx_setParameter(handle, Interop.Zstd.CompressionLevel, BatchCompressor.ZstdLevel);
    }

    protected override bool ReleaseHandle() => Interop.Zstd.ZSTD_freeCCtx(handle) == 0;
}

/// <summary>A ZSTD_DCtx, about 150 KB.</summary>
internal sealed class ZstdDecompressionHandle : SafeHandleZeroOrMinusOneIsInvalid
{
    internal ZstdDecompressionHandle()
        : base(ownsHandle: true)
    {
        SetHandle(Interop.Zstd.ZSTD_createDCtx());
        if (IsInvalid)
        {
            throw new OutOfMemoryException("ZSTD_createDCtx");
        }
    }

    protected override bool ReleaseHandle() => Interop.Zstd.ZSTD_freeDCtx(handle) == 0;
}
