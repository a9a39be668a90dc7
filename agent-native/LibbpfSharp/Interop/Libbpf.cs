using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace LibbpfSharp.Interop;

/// <summary>
/// libbpf 1.1's functions under their own names, one file per group. Functions that return int give 0 or a count, or
/// -errno; functions that return a pointer give NULL and set errno (libbpf 1.0 and later).
/// </summary>
internal static partial class Libbpf
{
    /// <summary>The name an AOT program lists in DirectPInvoke when it links libbpf.a; otherwise the resolver below applies.</summary>
    internal const string Name = "libbpf";

    [ModuleInitializer]
    [SuppressMessage("Usage", "CA2255", Justification = "The resolver must be in place before the first import of this assembly binds.")]
    internal static void UseVersionedLibraries() => NativeLibrary.SetDllImportResolver(typeof(Libbpf).Assembly, Resolve);

    // libbpf.so without a version is only installed for developers, and libc.so is a linker script.
    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path) => name switch
    {
        Name => NativeLibrary.Load("libbpf.so.1"),
        Libc.Name => NativeLibrary.Load("libc.so.6"),
        _ => 0,
    };
}
