using LibbpfSharp.Handles;
using LibbpfSharp.Interop;

namespace LibbpfSharp.Maps;

/// <summary>A hash map or LRU hash map.</summary>
public sealed unsafe class HashMap<TKey, TValue> : MapView
    where TKey : unmanaged
    where TValue : unmanaged
{
    /// <summary>Views a map whose key and value sizes are those of the types.</summary>
    public HashMap(BpfMap map)
        : base(map, sizeof(TKey), sizeof(TValue), BpfMapType.Hash, BpfMapType.LruHash)
    {
    }

    /// <summary>Reads an entry. False when there is none.</summary>
    public bool TryGet(TKey key, out TValue value)
    {
        TValue read;
        var found = KeyOperations.Found(Libbpf.bpf_map_lookup_elem(Descriptor, &key, &read), Map);
        value = found ? read : default;
        return found;
    }

    /// <summary>Writes an entry. False when <paramref name="mode"/> forbids it (it exists, or does not).</summary>
    /// <exception cref="BpfException">E2BIG: the map is full.</exception>
    public bool Set(TKey key, in TValue value, MapUpdate mode = MapUpdate.Any)
    {
        var copy = value;
        return KeyOperations.Updated(Libbpf.bpf_map_update_elem(Descriptor, &key, &copy, (ulong)mode), Map);
    }

    /// <summary>Removes an entry. False when there was none.</summary>
    public bool Remove(TKey key) => KeyOperations.Found(Libbpf.bpf_map_delete_elem(Descriptor, &key), Map);

    /// <summary>Reads and removes an entry in one step (kernel 5.14). False when there was none.</summary>
    public bool TryTake(TKey key, out TValue value)
    {
        TValue read;
        var found = KeyOperations.Found(Libbpf.bpf_map_lookup_and_delete_elem(Descriptor, &key, &read), Map);
        value = found ? read : default;
        return found;
    }

    /// <summary>The key after <paramref name="previous"/>, or the first for null. False at the end.</summary>
    /// <remarks>When the previous key was removed meanwhile the kernel starts over: keys can be seen twice.</remarks>
    public bool TryNextKey(TKey? previous, out TKey next)
    {
        var from = previous.GetValueOrDefault();
        TKey read;
        var found = KeyOperations.Found(Libbpf.bpf_map_get_next_key(Descriptor, previous.HasValue ? &from : null, &read), Map);
        next = found ? read : default;
        return found;
    }
}
