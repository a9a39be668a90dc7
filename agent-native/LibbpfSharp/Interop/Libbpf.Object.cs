using System.Runtime.InteropServices;
using LibbpfSharp.Handles;

namespace LibbpfSharp.Interop;

internal static partial class Libbpf
{
    /// <summary>struct bpf_object_open_opts of libbpf 1.1, LIBBPF_OPTS rules: sz first, the rest zero.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 80)]
    internal unsafe struct bpf_object_open_opts
    {
        [FieldOffset(0)] internal nuint sz;
        [FieldOffset(8)] internal byte* object_name;
        [FieldOffset(16)] internal byte relaxed_maps;
        [FieldOffset(24)] internal byte* pin_root_path;
        [FieldOffset(40)] internal byte* kconfig;
        [FieldOffset(48)] internal byte* btf_custom_path;
        [FieldOffset(56)] internal byte* kernel_log_buf;
        [FieldOffset(64)] internal nuint kernel_log_size;
        [FieldOffset(72)] internal uint kernel_log_level;
    }

    [LibraryImport(Name, SetLastError = true)]
    internal static unsafe partial nint bpf_object__open_mem(byte* obj_buf, nuint obj_buf_sz, bpf_object_open_opts* opts);

    [LibraryImport(Name)]
    internal static partial int bpf_object__load(BpfObject obj);

    [LibraryImport(Name)]
    internal static partial void bpf_object__close(nint obj);

    [LibraryImport(Name)]
    internal static partial nint bpf_object__next_program(BpfObject obj, nint prog);

    [LibraryImport(Name)]
    internal static partial nint bpf_object__next_map(BpfObject obj, nint map);

    [LibraryImport(Name)]
    internal static partial nint bpf_object__btf(BpfObject obj);
}
