using System.Diagnostics;
using System.Globalization;
using Streams.Bench.Running;

namespace Streams.Bench.Chaos;

/// <summary>A small disk of one's own (tmpfs; needs root), so that it can be filled without filling the machine's.</summary>
internal sealed class TemporaryDisk : IDisposable
{
    private readonly string _path;

    private TemporaryDisk(string path) => _path = path;

    public static TemporaryDisk Mount(string path, int mebibytes)
    {
        Directory.CreateDirectory(path);
        Run("mount", "-t", "tmpfs", "-o", string.Create(CultureInfo.InvariantCulture, $"size={mebibytes}m,mode=0700"), "streams-chaos",
            path);
        return new TemporaryDisk(path);
    }

    // Lazily: a server that has just been killed may still close its files.
    public void Dispose() => Run("umount", "-l", _path);

    private static void Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new BenchFailure($"{program}: {error.Trim()}; a disk of its own needs root");
        }
    }
}
