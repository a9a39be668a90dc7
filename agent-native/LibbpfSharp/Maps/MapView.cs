using LibbpfSharp.Handles;

namespace LibbpfSharp.Maps;

/// <summary>What all typed views share: the map, kept alive, and its descriptor.</summary>
/// <remarks>
/// An operation is one bpf(2) call on values on the caller's stack and allocates nothing. Views are thread-safe as the
/// kernel's maps are: single operations are atomic against other lookups of the entry, not against programs that write
/// parts of a value.
/// </remarks>
public abstract class MapView
{
    private protected MapView(BpfMap map, int keySize, int valueSize, params ReadOnlySpan<BpfMapType> types)
    {
        if (types.IndexOf(map.Type) < 0)
        {
            throw new ArgumentException($"Map {map.Name} is of type {map.Type}, not {types[0]}.", nameof(map));
        }
        if (map.KeySize != keySize || map.ValueSize != valueSize)
        {
            throw new ArgumentException(
                $"Map {map.Name} has keys of {map.KeySize} and values of {map.ValueSize} bytes, the view {keySize} and {valueSize}.",
                nameof(map));
        }
        Map = map;
        Descriptor = map.Descriptor;
    }

    /// <summary>The map behind the view.</summary>
    public BpfMap Map { get; }

    private protected int Descriptor { get; }
}
