using System.Reflection;
using System.Runtime.InteropServices;

namespace Streams.ClickHouse.Embedded.Engine;

/// <summary>Finds libchdb: by option, by environment, beside the program.</summary>
internal static class EngineLibrary
{
    public const string EnvironmentVariable = "STREAMS_LIBCHDB";
    private const string FileName = "libchdb.so";

    /// <summary>Loads the library (0.7 s the first time: 559 MB are mapped).</summary>
    /// <returns>Null on success, otherwise one line for the operator.</returns>
    public static string? Load(string? option)
    {
        var (path, source) = option is not null
            ? (option, "--library")
            : Environment.GetEnvironmentVariable(EnvironmentVariable) is { Length: > 0 } value
                ? (value, EnvironmentVariable)
                : (Path.Combine(AppContext.BaseDirectory, FileName), "beside the program");
        if (!File.Exists(path))
            return $"libchdb is not at {path} ({source}); run './justw setup', or name the file with --library PATH";
        nint library;
        try
        {
            library = NativeLibrary.Load(Path.GetFullPath(path));
        }
        catch (Exception error) when (error is DllNotFoundException or BadImageFormatException)
        {
            return $"libchdb at {path} cannot be loaded (is it a whole libchdb.so for x86-64 with glibc?); run './justw setup' again";
        }

        if (!NativeLibrary.TryGetExport(library, "chdb_query_with_params_n", out _))
            return $"libchdb at {path} is too old (no chdb_query_with_params_n); run './justw setup' for the pinned one";
        NativeLibrary.SetDllImportResolver(Assembly.GetExecutingAssembly(), (name, _, _) => name == Interop.Libraries.Chdb ? library : 0);
        Interop.Chdb.chdb_set_signal_handlers_enabled(0);
        return null;
    }
}
