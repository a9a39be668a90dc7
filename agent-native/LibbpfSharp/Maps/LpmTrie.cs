using System.Runtime.CompilerServices;
using LibbpfSharp.Handles;
using LibbpfSharp.Interop;

namespace LibbpfSharp.Maps;

/// <summary>A longest-prefix-match trie, for example of networks.</summary>
/// <typeparam name="TData">The bits that prefixes are of, first bit first: 4 bytes in network order for IPv4.</typeparam>
/// <typeparam name="TValue">Value of a prefix.</typeparam>
/// <remarks>The map must be created with BPF_F_NO_PREALLOC; its key is struct { u32 prefixlen; u8 data[]; }.</remarks>
public sealed unsafe class LpmTrie<TData, TValue> : MapView
    where TData : unmanaged
    where TValue : unmanaged
{
    private static readonly int KeyBytes = sizeof(uint) + sizeof(TData);

    /// <summary>Views a trie.</summary>
    public LpmTrie(BpfMap map)
        : base(map, sizeof(uint) + sizeof(TData), sizeof(TValue), BpfMapType.LpmTrie)
    {
    }

    /// <summary>The value of the longest prefix that covers the data. False when none does.</summary>
    public bool TryMatch(TData data, out TValue value) => TryMatch((uint)sizeof(TData) * 8, data, out value);

    /// <summary>The value of the longest prefix, of at most that many bits, that covers the data.</summary>
    public bool TryMatch(uint prefixLength, TData data, out TValue value)
    {
        var key = stackalloc byte[KeyBytes];
        Fill(key, prefixLength, data);
        TValue read;
        var found = KeyOperations.Found(Libbpf.bpf_map_lookup_elem(Descriptor, key, &read), Map);
        value = found ? read : default;
        return found;
    }

    /// <summary>Adds or replaces a prefix. False when <paramref name="mode"/> forbids it.</summary>
    /// <exception cref="BpfException">EINVAL: longer than the data. ENOSPC: the trie is full.</exception>
    public bool Set(uint prefixLength, TData data, in TValue value, MapUpdate mode = MapUpdate.Any)
    {
        var key = stackalloc byte[KeyBytes];
        Fill(key, prefixLength, data);
        var copy = value;
        return KeyOperations.Updated(Libbpf.bpf_map_update_elem(Descriptor, key, &copy, (ulong)mode), Map);
    }

    /// <summary>Removes exactly that prefix. False when there was none.</summary>
    public bool Remove(uint prefixLength, TData data)
    {
        var key = stackalloc byte[KeyBytes];
        Fill(key, prefixLength, data);
        return KeyOperations.Found(Libbpf.bpf_map_delete_elem(Descriptor, key), Map);
    }

    private static void Fill(byte* key, uint prefixLength, TData data)
    {
        *(uint*)key = prefixLength;
        Unsafe.WriteUnaligned(key + sizeof(uint), data);
    }
}
