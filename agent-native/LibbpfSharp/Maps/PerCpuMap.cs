using System.Runtime.CompilerServices;
using LibbpfSharp.Handles;
using LibbpfSharp.Interop;

namespace LibbpfSharp.Maps;

/// <summary>A per-CPU array or (LRU) hash map: an entry is one value for every possible CPU.</summary>
public sealed unsafe class PerCpuMap<TKey, TValue> : MapView
    where TKey : unmanaged
    where TValue : unmanaged
{
    // The kernel rounds each CPU's copy up to 8 bytes (kernel/bpf/syscall.c: bpf_map_value_size).
    private static readonly int Stride = (sizeof(TValue) + 7) & ~7;

    /// <summary>Views a per-CPU map whose key and value sizes are those of the types.</summary>
    public PerCpuMap(BpfMap map)
        : base(map, sizeof(TKey), sizeof(TValue), BpfMapType.PerCpuArray, BpfMapType.PerCpuHash, BpfMapType.LruPerCpuHash)
    {
    }

    /// <summary>Values of an entry: <see cref="BpfMap.PossibleCpus"/>.</summary>
    public static int Copies => BpfMap.PossibleCpus;

    /// <summary>Reads all CPUs' values of an entry. False when there is none.</summary>
    /// <param name="key">Key, or a uint index for arrays.</param>
    /// <param name="values">At least <see cref="Copies"/> long; index is the CPU.</param>
    public bool TryGet(TKey key, Span<TValue> values)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(values.Length, Copies);
        if (Stride == sizeof(TValue))
        {
            fixed (TValue* direct = values)
            {
                return KeyOperations.Found(Libbpf.bpf_map_lookup_elem(Descriptor, &key, direct), Map);
            }
        }
        var padded = stackalloc byte[Stride * Copies];
        if (!KeyOperations.Found(Libbpf.bpf_map_lookup_elem(Descriptor, &key, padded), Map))
        {
            return false;
        }
        for (var cpu = 0; cpu < Copies; cpu++)
        {
            values[cpu] = Unsafe.ReadUnaligned<TValue>(padded + (Stride * cpu));
        }
        return true;
    }

    /// <summary>Writes all CPUs' values of an entry. False when <paramref name="mode"/> forbids it.</summary>
    public bool Set(TKey key, ReadOnlySpan<TValue> values, MapUpdate mode = MapUpdate.Any)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(values.Length, Copies);
        var padded = stackalloc byte[Stride * Copies];
        Unsafe.InitBlock(padded, 0, (uint)(Stride * Copies));
        for (var cpu = 0; cpu < Copies; cpu++)
        {
            Unsafe.WriteUnaligned(padded + (Stride * cpu), values[cpu]);
        }
        return KeyOperations.Updated(Libbpf.bpf_map_update_elem(Descriptor, &key, padded, (ulong)mode), Map);
    }

    /// <summary>Removes an entry of a hash. False when there was none.</summary>
    public bool Remove(TKey key) => KeyOperations.Found(Libbpf.bpf_map_delete_elem(Descriptor, &key), Map);
}
