using System.Runtime.InteropServices;

namespace LibbpfSharp.Interop;

internal static partial class Libbpf
{
    /// <returns>1 supported, 0 not, negative when the probe itself failed.</returns>
    [LibraryImport(Name)]
    internal static partial int libbpf_probe_bpf_prog_type(BpfProgramType prog_type, nint opts);

    /// <inheritdoc cref="libbpf_probe_bpf_prog_type"/>
    [LibraryImport(Name)]
    internal static partial int libbpf_probe_bpf_map_type(BpfMapType map_type, nint opts);

    [LibraryImport(Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int libbpf_find_vmlinux_btf_id(string name, int attach_type);

    [LibraryImport(Name)]
    internal static partial uint libbpf_major_version();

    [LibraryImport(Name)]
    internal static partial uint libbpf_minor_version();

    /// <summary>libbpf_print_fn_t: int (*)(enum libbpf_print_level, const char *, va_list).</summary>
    [LibraryImport(Name)]
    internal static unsafe partial nint libbpf_set_print(delegate* unmanaged<int, byte*, nint, int> fn);
}
