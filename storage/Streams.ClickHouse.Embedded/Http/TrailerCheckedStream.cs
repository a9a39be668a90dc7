using System.Buffers.Binary;
using System.IO.Compression;

namespace Streams.ClickHouse.Embedded.Http;

/// <summary>
/// gzip (RFC 1952) or zlib (RFC 1950) whose end is checked. .NET's streams take a cut body for a short one, which here would be rows
/// lost in silence; so the last bytes that came are compared with what they must say of the decoded bytes: their number, or Adler-32.
/// A body of several gzip members is refused too: no client sends one.
/// </summary>
internal sealed class TrailerCheckedStream : ForwardReadStream
{
    private readonly TailStream _source;
    private readonly Stream _decoder;
    private readonly bool _isGzip;
    private long _length;
    private uint _adlerLow = 1;
    private uint _adlerHigh;

    public TrailerCheckedStream(Stream body, bool isGzip)
    {
        _isGzip = isGzip;
        _source = new TailStream(body);
        _decoder = isGzip
            ? new GZipStream(_source, CompressionMode.Decompress, leaveOpen: true)
            : new ZLibStream(_source, CompressionMode.Decompress, leaveOpen: true);
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var count = await _decoder.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        if (count == 0 && buffer.Length > 0)
        {
            Check();
            return 0;
        }

        _length += count;
        if (!_isGzip)
            Add(buffer.Span[..count]);
        return count;
    }

    public override async ValueTask DisposeAsync()
    {
        await _decoder.DisposeAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    private void Check()
    {
        if (_source.IsEmpty)
            return; // No body at all is no rows.
        var matches = _isGzip
            ? BinaryPrimitives.ReadUInt32LittleEndian(_source.Tail) == (uint)_length
            : BinaryPrimitives.ReadUInt32BigEndian(_source.Tail) == ((_adlerHigh << 16) | _adlerLow);
        if (!matches)
            throw new InvalidDataException("it ends too early or goes on after its end");
    }

    private void Add(ReadOnlySpan<byte> bytes)
    {
        // RFC 1950: sums modulo 65521; 5552 is the most bytes whose sums fit 32 bits.
        const uint modulus = 65521;
        var (low, high) = (_adlerLow, _adlerHigh);
        while (!bytes.IsEmpty)
        {
            var part = bytes[..Math.Min(5552, bytes.Length)];
            foreach (var value in part)
            {
                low += value;
                high += low;
            }

            (low, high) = (low % modulus, high % modulus);
            bytes = bytes[part.Length..];
        }

        (_adlerLow, _adlerHigh) = (low, high);
    }
}
