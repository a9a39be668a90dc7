using LibbpfSharp.Handles;
using LibbpfSharp.Interop;

namespace LibbpfSharp.Maps;

/// <summary>An array or hash whose values are maps: replacing one swaps a whole generation of content at once.</summary>
public sealed unsafe class MapOfMaps<TKey> : MapView
    where TKey : unmanaged
{
    /// <summary>Views an array of maps (TKey uint) or a hash of maps.</summary>
    public MapOfMaps(BpfMap map)
        : base(map, sizeof(TKey), sizeof(uint), BpfMapType.ArrayOfMaps, BpfMapType.HashOfMaps)
    {
    }

    /// <summary>Puts a map of the template's shape under the key. The outer map keeps it alive.</summary>
    /// <exception cref="BpfException">EINVAL: another shape than the template.</exception>
    public void Set(TKey key, BpfMap inner)
    {
        var descriptor = (uint)inner.Descriptor;
        BpfException.Check(Libbpf.bpf_map_update_elem(Descriptor, &key, &descriptor, Libbpf.BPF_ANY), Map.Name);
        GC.KeepAlive(inner);
    }

    /// <summary>Opens the map under the key, to be disposed of by the caller; null when there is none.</summary>
    public BpfMap? Get(TKey key)
    {
        uint id;
        return KeyOperations.Found(Libbpf.bpf_map_lookup_elem(Descriptor, &key, &id), Map) ? BpfMap.OpenById(id) : null;
    }

    /// <summary>True when the key holds that very map.</summary>
    public bool Holds(TKey key, BpfMap inner)
    {
        uint id;
        return KeyOperations.Found(Libbpf.bpf_map_lookup_elem(Descriptor, &key, &id), Map) && id == BpfMap.IdOf(inner.Descriptor);
    }

    /// <summary>Removes the map under the key. False when there was none.</summary>
    public bool Remove(TKey key) => KeyOperations.Found(Libbpf.bpf_map_delete_elem(Descriptor, &key), Map);
}
