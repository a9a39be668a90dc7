using System.Runtime.InteropServices;

namespace Streams.AgentLink.Retention;

/// <summary>
/// The memory budget for retained batches, in blocks of one page. The region is reserved at once and touched block by block: the free
/// list is last in, first
/// out, so that the resident set follows the need and a quiet agent stays small. Not thread-safe.
/// </summary>
internal sealed unsafe class BlockPool : IDisposable
{
    internal const int BlockSize = 4096;

    private readonly int[] _free;
    private byte* _region;
    private int _freeCount;

    internal BlockPool(int bytes)
    {
        Blocks = bytes / BlockSize;
        _free = new int[Blocks];
        for (var i = 0; i < Blocks; i++)
        {
            _free[i] = Blocks - 1 - i;
        }

        _freeCount = Blocks;

        // malloc serves this size by mmap: pages cost nothing until they are written.
        _region = (byte*)NativeMemory.Alloc((nuint)Blocks * BlockSize);
    }

    internal int Blocks { get; }

    internal int FreeBlocks => _freeCount;

    internal bool TryRent(out int block)
    {
        if (_freeCount == 0)
        {
            block = -1;
            return false;
        }

        block = _free[--_freeCount];
        return true;
    }

    internal void Return(int block) => _free[_freeCount++] = block;

    internal Span<byte> this[int block]
    {
        get
        {
            ObjectDisposedException.ThrowIf(_region == null, this);
            return new Span<byte>(_region + (nint)block * BlockSize, BlockSize);
        }
    }

    public void Dispose()
    {
        NativeMemory.Free(_region);
        _region = null;
    }
}
