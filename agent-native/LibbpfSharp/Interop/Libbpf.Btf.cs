using System.Runtime.InteropServices;

namespace LibbpfSharp.Interop;

internal static partial class Libbpf
{
    internal const uint BTF_KIND_STRUCT = 4;

    /// <summary>struct btf_type (include/uapi/linux/btf.h).</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct btf_type
    {
        internal uint name_off;
        internal uint info;
        internal uint size_or_type;
    }

    /// <summary>struct btf_member. When the struct has kind_flag set, the upper 8 bits of offset are a bit-field size.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct btf_member
    {
        internal uint name_off;
        internal uint type;
        internal uint offset;
    }

    [LibraryImport(Name, SetLastError = true)]
    internal static partial nint btf__load_vmlinux_btf();

    [LibraryImport(Name)]
    internal static partial void btf__free(nint btf);

    [LibraryImport(Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int btf__find_by_name_kind(nint btf, string type_name, uint kind);

    [LibraryImport(Name)]
    internal static unsafe partial btf_type* btf__type_by_id(nint btf, uint id);

    [LibraryImport(Name)]
    internal static unsafe partial byte* btf__name_by_offset(nint btf, uint offset);

    [LibraryImport(Name)]
    internal static partial long btf__resolve_size(nint btf, uint type_id);
}
