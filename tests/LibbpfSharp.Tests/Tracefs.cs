using System.Diagnostics;

namespace LibbpfSharp.Tests;

/// <summary>tracefs where libbpf looks for it, mounted for a test if it is not.</summary>
internal sealed class Tracefs : IDisposable
{
    private const string Path = "/sys/kernel/tracing";
    private bool _own;

    public static Tracefs Mounted()
    {
        var tracefs = new Tracefs();
        if (!File.Exists(Path + "/trace") && !File.Exists("/sys/kernel/debug/tracing/trace"))
        {
            Run("mount", "-t", "tracefs", "tracefs", Path);
            tracefs._own = true;
        }
        return tracefs;
    }

    public void Dispose()
    {
        if (_own)
        {
            Run("umount", Path);
        }
    }

    private static void Run(string program, params string[] arguments)
    {
        using var process = Process.Start(program, arguments);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }
}
