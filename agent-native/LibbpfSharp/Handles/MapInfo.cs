using System.Runtime.InteropServices;
using LibbpfSharp.Interop;

namespace LibbpfSharp.Handles;

/// <summary>The first fields of struct bpf_map_info, which are all that a typed view needs.</summary>
internal readonly record struct MapInfo(uint Id, BpfMapType Type, int KeySize, int ValueSize, int MaxEntries)
{
    [StructLayout(LayoutKind.Sequential, Size = 128)]
    internal struct bpf_map_info
    {
        public BpfMapType Type;
        public uint Id;
        public uint KeySize;
        public uint ValueSize;
        public uint MaxEntries;
    }

    internal static unsafe MapInfo Read(int descriptor)
    {
        bpf_map_info info = default;
        var length = (uint)sizeof(bpf_map_info);
        BpfException.Check(Libbpf.bpf_obj_get_info_by_fd(descriptor, &info, &length), "map info");
        return new MapInfo(info.Id, info.Type, (int)info.KeySize, (int)info.ValueSize, (int)info.MaxEntries);
    }
}
