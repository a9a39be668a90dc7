using System.Reflection;
using System.Runtime.InteropServices;

namespace Streams.Schema;

/// <summary>
/// Finds the run-time names of the compression libraries (Debian's packages without -dev have only the versioned file). In the
/// agent both are linked in statically (DirectPInvoke) and the resolver is never asked.
/// </summary>
internal static class NativeLibraries
{
    private static int _registered;

    internal static void Register()
    {
        if (Interlocked.Exchange(ref _registered, 1) == 0)
        {
            NativeLibrary.SetDllImportResolver(typeof(NativeLibraries).Assembly, Resolve);
        }
    }

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path)
    {
        var file = name switch
        {
            "liblz4" => "liblz4.so.1",
            "libzstd" => "libzstd.so.1",
            _ => null,
        };
        return file is not null && NativeLibrary.TryLoad(file, assembly, path, out var handle) ? handle : 0;
    }
}
