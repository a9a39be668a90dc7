using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Streams.Checker.Journals;

/// <summary>
/// A source's memory of what it emits: an append-only text file, one write(2) a line, so that what was written before a kill -9 is there
/// after it.
/// A line that a kill tore has no full stop and is not read.
/// </summary>
public sealed class JournalWriter : IDisposable
{
    private readonly SafeFileHandle _file;
    private readonly string _sensorEpoch;
    private long _end;

    /// <param name="path">The journal of one source; further processes of the same source append to it.</param>
    /// <param name="sensorEpoch">First 8 bytes of this process's sensor epoch: its numbers start at 1.</param>
    public JournalWriter(string path, ulong sensorEpoch)
    {
        _file = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite);
        _end = RandomAccess.GetLength(_file);
        _sensorEpoch = sensorEpoch.ToString("x16", CultureInfo.InvariantCulture);
        // Ends a line that the process before could not end.
        Write("\n");
    }

    /// <summary>To be called before the numbers up to <paramref name="last"/> are emitted.</summary>
    public void Intend(ulong last) => Write(string.Create(CultureInfo.InvariantCulture, $"E {_sensorEpoch} {last} .\n"));

    /// <summary>To be called once they were taken over.</summary>
    public void Keep(ulong last) => Write(string.Create(CultureInfo.InvariantCulture, $"K {_sensorEpoch} {last} .\n"));

    public void Dispose() => _file.Dispose();

    private void Write(string line)
    {
        var bytes = Encoding.ASCII.GetBytes(line);
        RandomAccess.Write(_file, bytes, _end);
        _end += bytes.Length;
    }
}
