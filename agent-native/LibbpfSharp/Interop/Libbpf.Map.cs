using System.Runtime.InteropServices;

namespace LibbpfSharp.Interop;

internal static partial class Libbpf
{
    [LibraryImport(Name)]
    internal static unsafe partial byte* bpf_map__name(nint map);

    [LibraryImport(Name)]
    internal static partial BpfMapType bpf_map__type(nint map);

    [LibraryImport(Name)]
    internal static partial int bpf_map__fd(nint map);

    [LibraryImport(Name)]
    internal static partial uint bpf_map__key_size(nint map);

    [LibraryImport(Name)]
    internal static partial uint bpf_map__value_size(nint map);

    [LibraryImport(Name)]
    internal static partial uint bpf_map__max_entries(nint map);

    [LibraryImport(Name)]
    internal static partial int bpf_map__set_max_entries(nint map, uint max_entries);

    [LibraryImport(Name, SetLastError = true)]
    internal static unsafe partial byte* bpf_map__initial_value(nint map, nuint* psize);

    [LibraryImport(Name)]
    internal static unsafe partial int bpf_map__set_initial_value(nint map, byte* data, nuint size);

    [LibraryImport(Name)]
    internal static partial int bpf_map__reuse_fd(nint map, int fd);

    [LibraryImport(Name)]
    internal static partial int bpf_map__set_inner_map_fd(nint map, int fd);

    [LibraryImport(Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int bpf_map__set_pin_path(nint map, string path);

    [LibraryImport(Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int bpf_map__pin(nint map, string path);

    [LibraryImport(Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int bpf_map__unpin(nint map, string path);

    [LibraryImport(Name)]
    internal static partial int libbpf_num_possible_cpus();
}
