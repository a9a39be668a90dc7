namespace Streams.Schema;

/// <summary>
/// Walks the batches of a message, which follow each other without gap. After <see cref="MoveNext"/> returned false,
/// <see cref="Error"/> tells a clean end (None) from bytes that are not a batch. Padding must have been stripped.
/// </summary>
public ref struct BatchSequence(ReadOnlyMemory<byte> message)
{
    private ReadOnlyMemory<byte> _rest = message;
    private BatchHeader _header;

    /// <summary>Header of the current batch.</summary>
    public readonly BatchHeader Header => _header;

    /// <summary>All bytes of the current batch.</summary>
    public ReadOnlyMemory<byte> Current { get; private set; }

    /// <summary>What ended the walk.</summary>
    public BatchError Error { get; private set; }

    /// <summary>Bytes behind the current batch.</summary>
    public readonly int Remaining => _rest.Length;

    public readonly BatchSequence GetEnumerator() => this;

    public bool MoveNext()
    {
        if (_rest.IsEmpty || Error.Kind != BatchErrorKind.None)
        {
            return false;
        }

        if (!BatchHeader.TryRead(_rest.Span, out _header, out var error))
        {
            Error = error;
            return false;
        }

        if (_header.TotalLength > _rest.Length)
        {
            Error = new BatchError(BatchErrorKind.Truncated, 0, _rest.Length, _header.TotalLength);
            return false;
        }

        Current = _rest[.._header.TotalLength];
        _rest = _rest[_header.TotalLength..];
        return true;
    }

    /// <summary>
    /// Length of the batches at the start of a frame's plaintext, without its zero padding: the gateway's strip. -1 when the bytes
    /// are not batches followed by fewer than <paramref name="multiple"/> zero bytes.
    /// </summary>
    public static int LengthWithoutPadding(ReadOnlySpan<byte> plaintext, int multiple = 256)
    {
        var position = 0;
        while (position < plaintext.Length && plaintext[position] == BatchHeader.Magic)
        {
            if (!BatchHeader.TryRead(plaintext[position..], out var header, out _) || header.TotalLength > plaintext.Length - position)
            {
                return -1;
            }

            position += header.TotalLength;
        }

        var padding = plaintext[position..];
        return padding.Length < multiple && !padding.ContainsAnyExcept((byte)0) ? position : -1;
    }
}
