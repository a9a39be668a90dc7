using System.Runtime.InteropServices;
using Streams.Wire.Crypto;
using Streams.Wire.Interop;

namespace Streams.Wire.Keys;

/// <summary>
/// All traffic keys of a process in one mapping. A crypto library's guarded key object per session costs four mappings and 10 KB, and
/// aborts the
/// process at vm.max_map_count (about 16,000); here a session direction costs 96 bytes and the process three mappings.
/// <para>Layout: guard page ‖ slots ‖ guard page. Pages are made accessible, locked (mlock) and kept out of core dumps as slots are first
/// used. Where
/// mlock is refused (RLIMIT_MEMLOCK) the page is used unlocked and counted in <see cref="UnlockedBytes"/>: refusing sessions instead
/// would make the
/// limit an outage, and swap is the smaller risk; the owner logs it once.</para>
/// <para>Thread-safe: renting and returning lock; a rented slot belongs to its renter alone.</para>
/// </summary>
public sealed unsafe class KeyArena : IDisposable
{
    private readonly Lock _gate = new();
    private readonly byte* _mapping;
    private readonly nuint _mappingBytes;
    private readonly byte* _slots;
    private readonly Stack<int> _free = new();
    private readonly int _page = Environment.SystemPageSize;
    private int _next;
    private long _opened;
    private int _rented;
    private bool _disposed;

    /// <param name="capacity">Slots; a session takes two, an ephemeral key one.</param>
    public KeyArena(int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        Capacity = capacity;
        var bytes = ((nuint)capacity * KeySlot.Size + (nuint)_page - 1) / (nuint)_page * (nuint)_page;
        _mappingBytes = bytes + 2 * (nuint)_page;
        _mapping = (byte*)Memory.mmap(null, _mappingBytes, Memory.ProtNone, Memory.MapPrivateAnonymous, -1, 0);
        if (_mapping == Memory.MapFailed)
        {
            throw new InsufficientMemoryException($"mmap of {_mappingBytes} bytes for keys failed: errno {Marshal.GetLastPInvokeError()}");
        }

        // Core dumps are read by people who must not see keys. Best effort: EINVAL on kernels without it. For the whole mapping at once:
        // pages whose flags
        // differ when they are first touched get an anon_vma each and never merge into one mapping again (mm/rmap.c, anon_vma_compatible).
        _ = Memory.madvise(_mapping, _mappingBytes, Memory.AdviseDontDump);
        _slots = _mapping + _page;
    }

    public int Capacity { get; }

    /// <summary>Slots rented now; a test tripwire for leaks.</summary>
    public int Rented => Volatile.Read(ref _rented);

    /// <summary>Bytes in use that could not be locked into memory; 0 in a process whose limits are right.</summary>
    public long UnlockedBytes { get; private set; }

    /// <summary>False when every slot is rented: admission must refuse, not throw.</summary>
    public bool TryRent(out KeySlot slot)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_free.TryPop(out var index) || TryOpenNext(out index))
            {
                _rented++;
                slot = new KeySlot(_slots + (nint)index * KeySlot.Size, index);
                return true;
            }
        }

        slot = default;
        return false;
    }

    internal KeySlot Rent() => TryRent(out var slot) ? slot : throw new InvalidOperationException("the key arena is full");

    /// <summary>Erases the slot, takes it back and clears the renter's reference.</summary>
    internal void Return(ref KeySlot slot)
    {
        if (!slot.IsRented)
        {
            return;
        }

        var returned = slot;
        slot = default;
        lock (_gate)
        {
            if (_disposed)
            {
                return;
            }

            Entropy.Erase(new Span<byte>(returned.Pointer, KeySlot.Size));
            _free.Push(returned.Index);
            _rented--;
        }
    }

    private bool TryOpenNext(out int index)
    {
        index = _next;
        if (index >= Capacity)
        {
            return false;
        }

        var needed = (index + 1L) * KeySlot.Size;
        while (_opened < needed)
        {
            var page = _slots + _opened;
            if (Memory.mprotect(page, (nuint)_page, Memory.ProtReadWrite) != 0)
            {
                return false;
            }

            if (Memory.mlock(page, (nuint)_page) != 0)
            {
                UnlockedBytes += _page;
            }

            _opened += _page;
        }

        _next++;
        return true;
    }

    /// <summary>Erases and unmaps. Every slot must be back: a later use of a rented one would fault.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_disposed)
            {
                return;
            }

            _disposed = true;
            Sodium.sodium_memzero(_slots, (nuint)_opened);
            _ = Memory.munmap(_mapping, _mappingBytes);
        }
    }
}
