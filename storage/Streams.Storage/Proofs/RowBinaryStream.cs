namespace Streams.Storage;

/// <summary>Gives a stream of rows as spans: what was not taken is kept, and joined by more.</summary>
internal sealed class RowBinaryStream(Stream stream) : IAsyncDisposable
{
    /// <summary>No row of a class is longer: 64 columns of 64 KiB, twice. What is, was altered.</summary>
    private const int MaxRowBytes = 8 * 1024 * 1024;

    private byte[] _buffer = new byte[64 * 1024];
    private int _start;
    private int _end;

    public ReadOnlySpan<byte> Buffered => _buffer.AsSpan(_start, _end - _start);

    public void Take(int bytes) => _start += bytes;

    /// <summary>Reads more; false at the end.</summary>
    /// <exception cref="InvalidDataException">A row is longer than any can be.</exception>
    public async ValueTask<bool> ReadMoreAsync(CancellationToken cancellation)
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }

        if (_end == _buffer.Length)
        {
            if (_buffer.Length >= MaxRowBytes)
            {
                throw new InvalidDataException($"a row is longer than {MaxRowBytes} bytes");
            }

            Array.Resize(ref _buffer, _buffer.Length * 2);
        }

        var read = await stream.ReadAsync(_buffer.AsMemory(_end), cancellation).ConfigureAwait(false);
        _end += read;
        return read > 0;
    }

    public ValueTask DisposeAsync() => stream.DisposeAsync();
}
