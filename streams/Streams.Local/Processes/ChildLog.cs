using System.Text;

namespace Streams.Local.Processes;

/// <summary>
/// Copies a child's output to its log file, unchanged, and cuts it into lines for whoever waits for one. A line longer than
/// <see cref="MaxLine"/> bytes is
/// shown cut; the file has it whole.
/// </summary>
internal sealed class ChildLog : IDisposable
{
    private const int MaxLine = 4096;

    private readonly Lock _gate = new();
    private readonly string _path;
    private readonly long _limit;
    private readonly Action<string>? _onLine;
    private FileStream _file;
    private bool _closed;

    public ChildLog(string path, long limit, Action<string>? onLine)
    {
        _path = path;
        _limit = limit;
        _onLine = onLine;
        _file = Open(path);
    }

    public string LastLine { get; private set; } = "";

    /// <summary>Bytes that the disk refused.</summary>
    public long LostBytes { get; private set; }

    /// <summary>Runs until the stream ends. Both streams of a child share this log; bytes of one read stay together.</summary>
    public async Task PumpAsync(Stream stream)
    {
        var buffer = new byte[16 * 1024];
        var line = new byte[MaxLine];
        var length = 0;
        try
        {
            while (await stream.ReadAsync(buffer).ConfigureAwait(false) is > 0 and var read)
            {
                Write(buffer.AsSpan(0, read));
                length = Split(buffer.AsSpan(0, read), line, length);
            }
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException)
        {
            // The pipe was closed under us while the child was disposed: nothing more to copy.
        }

        if (length > 0)
            Show(line.AsSpan(0, length));
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _closed = true;
            _file.Dispose();
        }
    }

    private static FileStream Open(string path) => new(path, new FileStreamOptions
    {
        Mode = FileMode.Append,
        Access = FileAccess.Write,
        Share = FileShare.ReadWrite | FileShare.Delete,
        BufferSize = 0,
        UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
    });

    private void Write(ReadOnlySpan<byte> bytes)
    {
        lock (_gate)
        {
            if (_closed)
                return;
            try
            {
                if (_file.Length + bytes.Length > _limit && _file.Length > 0)
                {
                    _file.Dispose();
                    File.Move(_path, _path + ".1", overwrite: true);
                    _file = Open(_path);
                }

                _file.Write(bytes);
            }
            catch (IOException)
            {
                // The disk is full: these bytes are lost, and the pipe is read on. A child whose pipe nobody reads would stop at its next
                // line.
                LostBytes += bytes.Length;
            }
        }
    }

    private int Split(ReadOnlySpan<byte> bytes, byte[] line, int length)
    {
        foreach (var value in bytes)
        {
            if (value == (byte)'\n')
            {
                Show(line.AsSpan(0, length));
                length = 0;
            }
            else if (length < MaxLine)
            {
                line[length++] = value;
            }
        }

        return length;
    }

    private void Show(ReadOnlySpan<byte> bytes)
    {
        var text = Encoding.UTF8.GetString(bytes).TrimEnd('\r');
        if (text.Length == 0)
            return;
        LastLine = text;
        _onLine?.Invoke(text);
    }
}
