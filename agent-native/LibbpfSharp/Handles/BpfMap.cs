using System.Runtime.InteropServices;
using LibbpfSharp.Interop;

namespace LibbpfSharp.Handles;

/// <summary>
/// A map: of an object (then it lives as long as the object is open), opened from a pin, or created by itself (then
/// disposing closes it). The typed views in LibbpfSharp.Maps read and write it.
/// </summary>
public sealed partial class BpfMap : IDisposable
{
    private readonly BpfObject? _owner;
    private readonly nint _map;
    private readonly MapDescriptor? _descriptor;
    private readonly MapInfo _info;

    internal unsafe BpfMap(BpfObject owner, nint map)
    {
        _owner = owner;
        _map = map;
        Name = Marshal.PtrToStringUTF8((nint)Libbpf.bpf_map__name(map)) ?? "";
    }

    private BpfMap(MapDescriptor descriptor, string name)
    {
        _descriptor = descriptor;
        _info = MapInfo.Read((int)descriptor.DangerousGetHandle());
        Name = name;
    }

    /// <summary>Name in the object, or the file name of the pin.</summary>
    public string Name { get; }

    /// <summary>Kind of map.</summary>
    public BpfMapType Type => _owner is null ? _info.Type : Libbpf.bpf_map__type(Pointer());

    /// <summary>Bytes of a key; 0 for ring buffers.</summary>
    public int KeySize => _owner is null ? _info.KeySize : (int)Libbpf.bpf_map__key_size(Pointer());

    /// <summary>Bytes of a value (of one CPU's copy for per-CPU maps); 0 for ring buffers.</summary>
    public int ValueSize => _owner is null ? _info.ValueSize : (int)Libbpf.bpf_map__value_size(Pointer());

    /// <summary>Entries, or bytes of a ring buffer. Can be set before load.</summary>
    /// <exception cref="BpfException">The object is loaded already (EBUSY).</exception>
    public int MaxEntries
    {
        get => _owner is null ? _info.MaxEntries : (int)Libbpf.bpf_map__max_entries(Pointer());
        set => BpfException.Check(Libbpf.bpf_map__set_max_entries(Pointer(), (uint)value), $"set size of map {Name}");
    }

    /// <summary>File descriptor of the created map.</summary>
    /// <exception cref="BpfException">The object is not loaded.</exception>
    public int Descriptor
    {
        get
        {
            if (_descriptor is not null)
            {
                ObjectDisposedException.ThrowIf(_descriptor.IsClosed, this);
                return (int)_descriptor.DangerousGetHandle();
            }
            return BpfException.Check(Libbpf.bpf_map__fd(Pointer()), $"descriptor of map {Name}");
        }
    }

    /// <summary>Number of possible CPUs: copies that a per-CPU map has of every value.</summary>
    public static int PossibleCpus { get; } = BpfException.Check(Libbpf.libbpf_num_possible_cpus(), "count CPUs");

    /// <summary>Opens a pinned map.</summary>
    /// <exception cref="BpfException">ENOENT, or the path is no map's.</exception>
    public static BpfMap OpenPinned(string path)
    {
        var descriptor = BpfException.Check(Libbpf.bpf_obj_get(path), $"open pinned map {path}");
        return new BpfMap(new MapDescriptor(descriptor), Path.GetFileName(path));
    }

    /// <summary>Creates a map that belongs to no object.</summary>
    /// <param name="type">Kind of map.</param>
    /// <param name="name">At most 15 letters, digits, '_' and '.'.</param>
    /// <param name="keySize">Bytes.</param>
    /// <param name="valueSize">Bytes; 4 for maps in maps.</param>
    /// <param name="maxEntries">Entries; bytes for a ring buffer, a power of two times the page size.</param>
    /// <param name="flags">BPF_F_*, for example 1 (NO_PREALLOC), which an LPM trie needs.</param>
    /// <param name="inner">Template of the inner maps, for maps in maps.</param>
    /// <exception cref="BpfException">The kernel refused it.</exception>
    public static unsafe BpfMap Create(
        BpfMapType type, string name, int keySize, int valueSize, int maxEntries, uint flags = 0, BpfMap? inner = null)
    {
        var options = new Libbpf.bpf_map_create_opts
        {
            sz = (nuint)sizeof(Libbpf.bpf_map_create_opts),
            map_flags = flags,
            inner_map_fd = (uint)(inner?.Descriptor ?? 0),
        };
        var result = Libbpf.bpf_map_create(type, name, (uint)keySize, (uint)valueSize, (uint)maxEntries, &options);
        return new BpfMap(new MapDescriptor(BpfException.Check(result, $"create map {name}")), name);
    }

    internal static BpfMap OpenById(uint id)
    {
        var descriptor = BpfException.Check(Libbpf.bpf_map_get_fd_by_id(id), $"open map {id}");
        return new BpfMap(new MapDescriptor(descriptor), $"#{id}");
    }

    internal static uint IdOf(int descriptor) => MapInfo.Read(descriptor).Id;

    /// <summary>Closes a map that belongs to no object. Maps of an object are closed with it.</summary>
    public void Dispose() => _descriptor?.Dispose();

    private nint Pointer()
    {
        if (_owner is null)
        {
            throw new InvalidOperationException($"Map {Name} belongs to no object that is yet to be loaded.");
        }
        ObjectDisposedException.ThrowIf(_owner.IsClosed, _owner);
        return _map;
    }
}
