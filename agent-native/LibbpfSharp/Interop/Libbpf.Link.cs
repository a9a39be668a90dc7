using System.Runtime.InteropServices;
using LibbpfSharp.Handles;

namespace LibbpfSharp.Interop;

internal static partial class Libbpf
{
    [LibraryImport(Name, SetLastError = true)]
    internal static partial nint bpf_program__attach(nint prog);

    [LibraryImport(Name, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint bpf_program__attach_tracepoint(nint prog, string tp_category, string tp_name);

    [LibraryImport(Name, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint bpf_program__attach_raw_tracepoint(nint prog, string tp_name);

    [LibraryImport(Name, SetLastError = true)]
    internal static partial nint bpf_program__attach_trace(nint prog);

    [LibraryImport(Name, SetLastError = true)]
    internal static partial nint bpf_program__attach_cgroup(nint prog, int cgroup_fd);

    [LibraryImport(Name, SetLastError = true)]
    internal static partial nint bpf_program__attach_xdp(nint prog, int ifindex);

    [LibraryImport(Name, SetLastError = true)]
    internal static partial nint bpf_program__attach_perf_event(nint prog, int pfd);

    /// <summary>opts NULL: an iterator over everything.</summary>
    [LibraryImport(Name, SetLastError = true)]
    internal static partial nint bpf_program__attach_iter(nint prog, nint opts);

    [LibraryImport(Name, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint bpf_link__open(string path);

    [LibraryImport(Name)]
    internal static partial int bpf_link__fd(BpfLink link);

    [LibraryImport(Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int bpf_link__pin(BpfLink link, string path);

    [LibraryImport(Name)]
    internal static partial int bpf_link__unpin(BpfLink link);

    [LibraryImport(Name)]
    internal static partial int bpf_link__destroy(nint link);
}
