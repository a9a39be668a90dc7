using System.Runtime.InteropServices;

namespace LibbpfSharp.Interop;

/// <summary>bpf/bpf.h: thin wrappers of bpf(2).</summary>
internal static partial class Libbpf
{
    internal const ulong BPF_ANY = 0;

    /// <summary>struct bpf_map_create_opts of libbpf 1.1.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct bpf_map_create_opts
    {
        internal nuint sz;
        internal uint btf_fd;
        internal uint btf_key_type_id;
        internal uint btf_value_type_id;
        internal uint btf_vmlinux_value_type_id;
        internal uint inner_map_fd;
        internal uint map_flags;
        internal ulong map_extra;
        internal uint numa_node;
        internal uint map_ifindex;
    }

    /// <summary>struct bpf_prog_load_opts of libbpf 1.1.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 104)]
    internal unsafe struct bpf_prog_load_opts
    {
        [FieldOffset(0)] internal nuint sz;
        [FieldOffset(8)] internal int attempts;
        [FieldOffset(12)] internal int expected_attach_type;
        [FieldOffset(32)] internal uint attach_btf_id;
        [FieldOffset(88)] internal uint log_level;
        [FieldOffset(92)] internal uint log_size;
        [FieldOffset(96)] internal byte* log_buf;
    }

    /// <summary>struct bpf_test_run_opts of libbpf 1.1.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct bpf_test_run_opts
    {
        internal nuint sz;
        internal byte* data_in;
        internal byte* data_out;
        internal uint data_size_in;
        internal uint data_size_out;
        internal byte* ctx_in;
        internal byte* ctx_out;
        internal uint ctx_size_in;
        internal uint ctx_size_out;
        internal uint retval;
        internal int repeat;
        internal uint duration;
        internal uint flags;
        internal uint cpu;
        internal uint batch_size;
    }

    [LibraryImport(Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static unsafe partial int bpf_map_create(
        BpfMapType map_type, string map_name, uint key_size, uint value_size, uint max_entries, bpf_map_create_opts* opts);

    [LibraryImport(Name)]
    internal static unsafe partial int bpf_map_lookup_elem(int fd, void* key, void* value);

    [LibraryImport(Name)]
    internal static unsafe partial int bpf_map_lookup_and_delete_elem(int fd, void* key, void* value);

    [LibraryImport(Name)]
    internal static unsafe partial int bpf_map_update_elem(int fd, void* key, void* value, ulong flags);

    [LibraryImport(Name)]
    internal static unsafe partial int bpf_map_delete_elem(int fd, void* key);

    [LibraryImport(Name)]
    internal static unsafe partial int bpf_map_get_next_key(int fd, void* key, void* next_key);

    [LibraryImport(Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int bpf_obj_pin(int fd, string pathname);

    [LibraryImport(Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int bpf_obj_get(string pathname);

    [LibraryImport(Name)]
    internal static unsafe partial int bpf_obj_get_info_by_fd(int bpf_fd, void* info, uint* info_len);

    [LibraryImport(Name)]
    internal static partial int bpf_map_get_fd_by_id(uint id);

    [LibraryImport(Name)]
    internal static partial int bpf_prog_get_fd_by_id(uint id);

    [LibraryImport(Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static unsafe partial int bpf_prog_load(
        BpfProgramType prog_type, string prog_name, string license, ulong* insns, nuint insn_cnt, bpf_prog_load_opts* opts);

    [LibraryImport(Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int bpf_raw_tracepoint_open(string? name, int prog_fd);

    [LibraryImport(Name)]
    internal static unsafe partial int bpf_prog_test_run_opts(int prog_fd, bpf_test_run_opts* opts);

    [LibraryImport(Name)]
    internal static partial int bpf_iter_create(int link_fd);
}
