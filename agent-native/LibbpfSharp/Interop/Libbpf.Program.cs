using System.Runtime.InteropServices;

namespace LibbpfSharp.Interop;

internal static partial class Libbpf
{
    [LibraryImport(Name)]
    internal static unsafe partial byte* bpf_program__name(nint prog);

    [LibraryImport(Name)]
    internal static unsafe partial byte* bpf_program__section_name(nint prog);

    [LibraryImport(Name)]
    internal static partial BpfProgramType bpf_program__type(nint prog);

    [LibraryImport(Name)]
    internal static partial int bpf_program__fd(nint prog);

    [LibraryImport(Name)]
    [return: MarshalAs(UnmanagedType.U1)]
    internal static partial bool bpf_program__autoload(nint prog);

    [LibraryImport(Name)]
    internal static partial int bpf_program__set_autoload(nint prog, [MarshalAs(UnmanagedType.U1)] bool autoload);

    [LibraryImport(Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int bpf_program__set_attach_target(nint prog, int attach_prog_fd, string attach_func_name);

    [LibraryImport(Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int bpf_program__pin(nint prog, string path);

    [LibraryImport(Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int bpf_program__unpin(nint prog, string path);
}
