using System.Runtime.CompilerServices;
using LibbpfSharp.Handles;
using LibbpfSharp.Interop;

namespace LibbpfSharp.Maps;

/// <summary>An array map made with <see cref="Mappable"/>, in this process's memory: reading and writing it is no system call.</summary>
/// <remarks>
/// Programs and other processes see the same memory. Write what they read with <see cref="Volatile"/>, a word at a time: there is no
/// other atomicity. What a killed process had stored by then stays stored, in the order in which it stored it.
/// </remarks>
public sealed unsafe class MappedArray<TValue> : IDisposable
    where TValue : unmanaged
{
    /// <summary>BPF_F_MMAPABLE: flag of <see cref="BpfMap.Create"/> (kernel 5.5).</summary>
    public const uint Mappable = 1 << 10;

    // Entries lie at multiples of 8 bytes (kernel/bpf/arraymap.c).
    private static readonly int Stride = (sizeof(TValue) + 7) & ~7;

    private readonly nuint _bytes;
    private nint _memory;

    /// <summary>Maps all entries.</summary>
    /// <exception cref="ArgumentException">The map is no array of such values.</exception>
    /// <exception cref="BpfException">EPERM: it was not made mappable.</exception>
    public MappedArray(BpfMap map)
    {
        if (map.Type != BpfMapType.Array || map.ValueSize != sizeof(TValue))
        {
            throw new ArgumentException(
                $"Map {map.Name} is of type {map.Type} with values of {map.ValueSize} bytes, the view an array of {sizeof(TValue)}.", nameof(map));
        }
        Length = map.MaxEntries;
        var page = (nuint)Environment.SystemPageSize;
        _bytes = (((nuint)Length * (nuint)Stride) + page - 1) / page * page;
        _memory = Libc.mmap(0, _bytes, Libc.PROT_READ | Libc.PROT_WRITE, Libc.MAP_SHARED, map.Descriptor, 0);
        if (_memory == -1)
        {
            _memory = 0;
            BpfException.ThrowLastError($"map array {map.Name}");
        }
    }

    /// <summary>Number of entries.</summary>
    public int Length { get; }

    /// <summary>An entry in place; valid until the view is disposed of.</summary>
    public ref TValue this[int index]
    {
        get
        {
            ObjectDisposedException.ThrowIf(_memory == 0, this);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Length);
            return ref Unsafe.AsRef<TValue>((byte*)_memory + ((nint)index * Stride));
        }
    }

    /// <summary>Unmaps the memory; the map and what is in it stay. Nobody may use an entry any more.</summary>
    public void Dispose()
    {
        if (_memory != 0)
        {
            _ = Libc.munmap(_memory, _bytes);
            _memory = 0;
        }
    }
}
