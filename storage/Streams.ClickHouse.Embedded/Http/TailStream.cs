namespace Streams.ClickHouse.Embedded.Http;

/// <summary>Passes reads on and remembers the last four bytes.</summary>
internal sealed class TailStream(Stream inner) : ForwardReadStream
{
    private const int Kept = 4;
    private readonly byte[] _tail = new byte[Kept];

    public bool IsEmpty { get; private set; } = true;

    public ReadOnlySpan<byte> Tail => _tail;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var count = await inner.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        if (count > 0)
            Keep(buffer.Span[..count]);
        return count;
    }

    private void Keep(ReadOnlySpan<byte> bytes)
    {
        IsEmpty = false;
        var last = bytes[Math.Max(0, bytes.Length - Kept)..];
        _tail.AsSpan(last.Length).CopyTo(_tail);
        last.CopyTo(_tail.AsSpan(Kept - last.Length));
    }
}
