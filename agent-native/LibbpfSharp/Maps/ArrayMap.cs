using LibbpfSharp.Handles;
using LibbpfSharp.Interop;

namespace LibbpfSharp.Maps;

/// <summary>An array map: entries 0 to <see cref="Length"/> - 1 that always exist, zero at first.</summary>
public sealed unsafe class ArrayMap<TValue> : MapView
    where TValue : unmanaged
{
    /// <summary>Views an array map whose value size is that of the type.</summary>
    public ArrayMap(BpfMap map)
        : base(map, sizeof(uint), sizeof(TValue), BpfMapType.Array)
        => Length = map.MaxEntries;

    /// <summary>Number of entries.</summary>
    public int Length { get; }

    /// <summary>An entry.</summary>
    /// <exception cref="BpfException">ENOENT or E2BIG: the index is outside.</exception>
    public TValue this[uint index]
    {
        get
        {
            TValue value;
            BpfException.Check(Libbpf.bpf_map_lookup_elem(Descriptor, &index, &value), Map.Name);
            return value;
        }
        set => BpfException.Check(Libbpf.bpf_map_update_elem(Descriptor, &index, &value, Libbpf.BPF_ANY), Map.Name);
    }
}
