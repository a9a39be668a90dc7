using System.Buffers.Binary;

namespace Streams.Fuzz;

/// <summary>Changes inputs; the same seed makes the same inputs.</summary>
internal sealed class Mutator(ulong seed, FuzzTarget target)
{
    private static readonly long[] Interesting =
        [0, 1, 2, 7, 8, 15, 16, 31, 32, 63, 64, 127, 128, 255, 256, 511, 512, 1023, 1024, 4095, 4096, 32767, 32768, 65535, 65536, 262_144,
         int.MaxValue, int.MinValue, uint.MaxValue, long.MaxValue, long.MinValue, -1, -2, -128];

    private readonly byte[] _buffer = new byte[target.MaxBytes];
    private ulong _state = seed == 0 ? 1 : seed;
    private int _length;

    /// <summary>One to six changes of one of the inputs; valid until the next call.</summary>
    public ReadOnlySpan<byte> Next(IReadOnlyList<byte[]> pool)
    {
        var source = pool[Below(pool.Count)];
        _length = Math.Min(source.Length, _buffer.Length);
        source.AsSpan(0, _length).CopyTo(_buffer);
        for (var changes = 1 + Below(3) * Below(3); changes > 0; changes--)
        {
            Change(pool);
        }

        return _buffer.AsSpan(0, _length);
    }

    private void Change(IReadOnlyList<byte[]> pool)
    {
        switch (Below(12))
        {
            case 0 or 1 when _length > 0:
                _buffer[Below(_length)] ^= (byte)(1 << Below(8));
                break;
            case 2 when _length > 0:
                _buffer[Below(_length)] = (byte)Below(256);
                break;
            case 3 or 4:
                Number();
                break;
            case 5 when _length > 0:
                // Cut off the end.
                _length = Below(_length);
                break;
            case 6 when _length > 0:
                Remove(Below(_length), 1 + Below(8));
                break;
            case 7:
                Insert(Below(_length + 1), [(byte)Below(256)]);
                break;
            case 8 when _length > 1:
                // A part twice.
                var from = Below(_length);
                Insert(Below(_length + 1), _buffer.AsSpan(from, Math.Min(_length - from, 1 + Below(64))).ToArray());
                break;
            case 9:
                Splice(pool[Below(pool.Count)]);
                break;
            case 10 or 11 when target.Words.Count > 0:
                Word(target.Words[Below(target.Words.Count)]);
                break;
            default:
                Insert(Below(_length + 1), new byte[1 + Below(16)]);
                break;
        }
    }

    /// <summary>An interesting number of some width and byte order in the place of what was there.</summary>
    private void Number()
    {
        var value = Interesting[Below(Interesting.Length)] + Below(3) - 1;
        Span<byte> bytes = stackalloc byte[8];
        var width = 1 << Below(4);
        if (Below(2) == 0)
        {
            BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
            bytes = bytes[..width];
        }
        else
        {
            BinaryPrimitives.WriteInt64BigEndian(bytes, value);
            bytes = bytes[(8 - width)..];
        }

        if (_length >= width)
        {
            bytes.CopyTo(_buffer.AsSpan(Below(_length - width + 1)));
        }
    }

    /// <summary>The head of this input and the tail of another.</summary>
    private void Splice(byte[] other)
    {
        var head = Below(_length + 1);
        var from = Below(other.Length + 1);
        var tail = Math.Min(other.Length - from, _buffer.Length - head);
        other.AsSpan(from, tail).CopyTo(_buffer.AsSpan(head));
        _length = head + tail;
    }

    private void Word(byte[] word)
    {
        var at = Below(_length + 1);
        if (Below(2) == 0 && at + word.Length <= _length)
        {
            word.CopyTo(_buffer, at);
        }
        else
        {
            Insert(at, word);
        }
    }

    private void Insert(int at, ReadOnlySpan<byte> bytes)
    {
        if (_length + bytes.Length <= _buffer.Length)
        {
            _buffer.AsSpan(at, _length - at).CopyTo(_buffer.AsSpan(at + bytes.Length));
            bytes.CopyTo(_buffer.AsSpan(at));
            _length += bytes.Length;
        }
    }

    private void Remove(int at, int count)
    {
        count = Math.Min(count, _length - at);
        _buffer.AsSpan(at + count, _length - at - count).CopyTo(_buffer.AsSpan(at));
        _length -= count;
    }

    // xorshift64*: quick, and the same on every machine.
    private int Below(int bound)
    {
        _state ^= _state >> 12;
        _state ^= _state << 25;
        _state ^= _state >> 27;
        return (int)(((_state * 0x2545F4914F6CDD1D) >> 33) % (ulong)bound);
    }
}
