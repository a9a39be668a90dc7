using System.Runtime.InteropServices;

namespace Streams.ClickHouse.Embedded.Engine;

/// <summary>Owns one connection of libchdb. The engine lives as long as one of them is open.</summary>
internal sealed unsafe class ChdbConnectionHandle : SafeHandle
{
    private ChdbConnectionHandle(nint* connection)
        : base(0, ownsHandle: true) => SetHandle((nint)connection);

    public override bool IsInvalid => handle == 0;

    /// <summary>What the query functions take: the value behind the pointer that connect returns.</summary>
    public nint Value => *(nint*)handle;

    /// <returns>Null when the engine refuses the path.</returns>
    public static ChdbConnectionHandle? Open(params ReadOnlySpan<string> arguments)
    {
        var argv = stackalloc byte*[arguments.Length];
        try
        {
            for (var i = 0; i < arguments.Length; i++)
                argv[i] = (byte*)Marshal.StringToCoTaskMemUTF8(arguments[i]);
            var connection = Interop.Chdb.chdb_connect(arguments.Length, argv);
            return connection == null ? null : new ChdbConnectionHandle(connection);
        }
        finally
        {
            for (var i = 0; i < arguments.Length; i++)
                Marshal.FreeCoTaskMem((nint)argv[i]);
        }
    }

    protected override bool ReleaseHandle()
    {
        Interop.Chdb.chdb_close_conn((nint*)handle);
        return true;
    }
}
