using Microsoft.Win32.SafeHandles;

namespace Streams.Agent.Modules.Telemetry.Procfs;

/// <summary>
/// A file of /proc or /sys that is kept open: reading it again from offset 0 makes the kernel write it anew (fs/seq_file.c), and
/// nothing is allocated. The buffer is shared by all files of a reader, so a result is valid until the next read.
/// </summary>
internal sealed class ProcFile(string path, ProcBuffer buffer) : IDisposable
{
    private SafeFileHandle? _handle;
    private bool _absent;

    /// <summary>The content now; empty when the file does not exist or cannot be read (a kernel without that feature).</summary>
    public ReadOnlySpan<byte> Read()
    {
        if (_absent)
            return default;
        try
        {
            _handle ??= File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            return buffer.Fill(_handle);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Not there, or its device is gone: an interface that was removed gives ENODEV. It is not asked again.
            Dispose();
            _absent = true;
            return default;
        }
    }

    public void Dispose()
    {
        _handle?.Dispose();
        _handle = null;
    }
}
