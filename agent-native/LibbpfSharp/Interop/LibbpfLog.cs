using System.Runtime.InteropServices;
using System.Text;

namespace LibbpfSharp.Interop;

/// <summary>
/// Collects what libbpf prints during one call on this thread, so that an exception can carry it. libbpf has one print
/// function per process and calls it on the thread that called libbpf, hence one installation and a buffer per thread.
/// </summary>
/// <remarks>
/// The callback receives a C va_list. On x86-64 (System V) va_list is an array type and decays to a pointer; on AArch64
/// (AAPCS64) it is a 32-byte struct, which is passed by reference. In both the argument is one pointer in a register, and
/// handing it on to vsnprintf unread is exactly what a C shim would do. Elsewhere nothing is installed and exceptions
/// carry errno only.
/// </remarks>
internal static unsafe class LibbpfLog
{
    // A verifier log can be megabytes; its end, where the reason is, must fit. libbpf prints a log in one call.
    private const int LineBytes = 1 << 20;
    private const int KeptChars = 16 * 1024;
    private const int LevelInfo = 1;

    [ThreadStatic]
    private static StringBuilder? _lines;

    static LibbpfLog()
    {
        var passesVaListByReference = RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.Arm64;
        Libbpf.libbpf_set_print(passesVaListByReference ? &Print : null);
    }

    /// <summary>Starts collecting on this thread. Nothing that libbpf prints goes to stderr, also outside of a capture.</summary>
    internal static void Begin() => (_lines ??= new StringBuilder()).Clear();

    /// <summary>What was printed since <see cref="Begin"/>, trimmed.</summary>
    internal static string End()
    {
        var text = _lines?.ToString().Trim() ?? "";
        _lines = null;
        return text;
    }

    [UnmanagedCallersOnly]
    private static int Print(int level, byte* format, nint args)
    {
        if (level > LevelInfo || _lines is not { } lines)
        {
            return 0;
        }
        var buffer = (byte*)NativeMemory.Alloc(LineBytes);
        var length = Math.Min(Libc.vsnprintf(buffer, LineBytes, format, args), LineBytes - 1);
        if (length > 0)
        {
            var kept = Math.Min(length, KeptChars);
            lines.Append(Encoding.UTF8.GetString(buffer + length - kept, kept));
        }
        NativeMemory.Free(buffer);
        return 0;
    }
}
