using Microsoft.Win32.SafeHandles;

namespace Streams.Agent.Modules.Telemetry.Procfs;

/// <summary>The one buffer that all proc files of a thread are read into. It grows to the largest (/proc/stat of a host with many interrupts).</summary>
internal sealed class ProcBuffer
{
    private const int Largest = 1 << 20;

    private byte[] _bytes = new byte[4096];

    /// <summary>Reads a whole file from its start.</summary>
    public ReadOnlySpan<byte> Fill(SafeFileHandle handle)
    {
        var length = 0;
        while (true)
        {
            var read = RandomAccess.Read(handle, _bytes.AsSpan(length), length);
            length += read;
            if (read == 0)
                return _bytes.AsSpan(0, length);
            if (length < _bytes.Length)
                continue;
            if (_bytes.Length >= Largest)
                return _bytes.AsSpan(0, length);
            Array.Resize(ref _bytes, _bytes.Length * 2);
        }
    }
}
