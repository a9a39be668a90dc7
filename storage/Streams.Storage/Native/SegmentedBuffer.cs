using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Streams.Storage;

/// <summary>
/// Pooled segments that a block is encoded into, one column at a time, and drained from into the request. So a block of 150 MB
/// needs the memory of its largest column, and no array grows by copying.
/// </summary>
public sealed class SegmentedBuffer : IDisposable
{
    private const int SegmentBytes = 256 * 1024;

    private readonly List<byte[]> _segments = [];
    private int _current = -1;
    private int _used = SegmentBytes; // of the current segment

    /// <summary>Bytes held.</summary>
    public long Length => _current < 0 ? 0 : ((long)_current * SegmentBytes) + _used;

    public void Write(ReadOnlySpan<byte> source)
    {
        while (!source.IsEmpty)
        {
            var free = Free();
            var n = Math.Min(free.Length, source.Length);
            source[..n].CopyTo(free);
            _used += n;
            source = source[n..];
        }
    }

    public void WriteByte(byte value)
    {
        Free()[0] = value;
        _used++;
    }

    public void WriteUInt64(ulong value) => Write(MemoryMarshal.AsBytes(new ReadOnlySpan<ulong>(in value)));

    public void WriteVaruint(ulong value)
    {
        while (value >= 0x80)
        {
            WriteByte((byte)(value | 0x80));
            value >>= 7;
        }

        WriteByte((byte)value);
    }

    /// <summary>A name or type: varuint length and UTF-8.</summary>
    public void WriteString(string value)
    {
        var bytes = Encoding.UTF8.GetBytes(value);
        WriteVaruint((ulong)bytes.Length);
        Write(bytes);
    }

    /// <summary>The value, <paramref name="count"/> times.</summary>
    public void Fill<T>(T value, int count)
        where T : unmanaged
    {
        while (count > 0)
        {
            var free = MemoryMarshal.Cast<byte, T>(Free());
            if (free.IsEmpty)
            {
                // The value straddles two segments.
                Write(MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value)));
                count--;
                continue;
            }

            var n = Math.Min(free.Length, count);
            free[..n].Fill(value);
            _used += n * Unsafe.SizeOf<T>();
            count -= n;
        }
    }

    /// <summary>
    /// Room for 1 to <paramref name="wanted"/> values that the caller writes in place and then passes to <see cref="Advance{T}"/>;
    /// empty when not even one fits before the end of a segment.
    /// </summary>
    internal Span<T> Room<T>(int wanted)
        where T : unmanaged
    {
        var free = MemoryMarshal.Cast<byte, T>(Free());
        return free[..Math.Min(free.Length, wanted)];
    }

    internal void Advance<T>(int count)
        where T : unmanaged => _used += count * Unsafe.SizeOf<T>();

    /// <summary>Writes everything to the stream and forgets it; the segments are kept.</summary>
    public async Task DrainToAsync(Stream stream, CancellationToken cancellation)
    {
        for (var i = 0; i <= _current; i++)
        {
            var length = i == _current ? _used : SegmentBytes;
            await stream.WriteAsync(_segments[i].AsMemory(0, length), cancellation).ConfigureAwait(false);
        }

        Clear();
    }

    /// <summary>Writes everything to the stream, synchronously, and keeps it.</summary>
    public void CopyTo(Stream stream)
    {
        for (var i = 0; i <= _current; i++)
        {
            stream.Write(_segments[i].AsSpan(0, i == _current ? _used : SegmentBytes));
        }
    }

    public void Clear()
    {
        _current = -1;
        _used = SegmentBytes;
    }

    public void Dispose()
    {
        foreach (var segment in _segments)
        {
            ArrayPool<byte>.Shared.Return(segment);
        }

        _segments.Clear();
        Clear();
    }

    private Span<byte> Free()
    {
        if (_used == SegmentBytes)
        {
            _current++;
            _used = 0;
            if (_current == _segments.Count)
            {
                // The pool's bucket is exactly this size; a longer array would only waste its end.
                _segments.Add(ArrayPool<byte>.Shared.Rent(SegmentBytes));
            }
        }

        return _segments[_current].AsSpan(_used, SegmentBytes - _used);
    }
}
