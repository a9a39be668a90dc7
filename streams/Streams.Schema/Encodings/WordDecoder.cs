using System.Buffers;
using System.Buffers.Binary;

namespace Streams.Schema;

/// <summary>Turns what <see cref="WordEncoder"/> wrote, or a liar, back into a String column.</summary>
internal static class WordDecoder
{
    /// <summary>The bytes that the column says it has as it is; nothing else of it is checked yet.</summary>
    internal static BatchError PlainLength(ReadOnlySpan<byte> source, ushort id, out long length)
    {
        length = source.Length < WordEncoder.HeaderSize ? -1 : BinaryPrimitives.ReadUInt32LittleEndian(source);
        return length < 0 ? new BatchError(BatchErrorKind.ColumnEncoding, id, source.Length, WordEncoder.HeaderSize) : default;
    }

    /// <param name="destination">As long as <see cref="PlainLength"/> said.</param>
    internal static BatchError Decode(ReadOnlySpan<byte> source, ushort id, int rows, Span<byte> destination)
    {
        long words = BinaryPrimitives.ReadUInt32LittleEndian(source[4..]);
        long defined = BinaryPrimitives.ReadUInt32LittleEndian(source[8..]);
        if (words < rows || words * 2 > source.Length)
        {
            return new BatchError(BatchErrorKind.ColumnEncoding, id, words, source.Length / 2);
        }

        var most = Math.Min(words, WordEncoder.MaxNewWords);
        if (defined > most)
        {
            return new BatchError(BatchErrorKind.ColumnEncoding, id, defined, most);
        }

        var places = ArrayPool<long>.Shared.Rent((int)defined + 1);
        try
        {
            return new Reader(source, id, destination, places.AsSpan(0, (int)defined + 1)).Decode(rows, (int)words);
        }
        finally
        {
            ArrayPool<long>.Shared.Return(places);
        }
    }

    /// <param name="places">For each word, the empty one first: where in the destination it stands, in the upper half, and its length.</param>
    private ref struct Reader(ReadOnlySpan<byte> source, ushort id, Span<byte> destination, Span<long> places)
    {
        private readonly ReadOnlySpan<byte> _source = source;
        private readonly Span<byte> _destination = destination;
        private readonly Span<long> _places = places;
        private readonly ushort _id = id;
        private ReadOnlySpan<byte> _low;
        private ReadOnlySpan<byte> _high;
        private ReadOnlySpan<byte> _prefixes;
        private ReadOnlySpan<byte> _suffixes;
        private int _seen; // new words that are in the destination

        public BatchError Decode(int rows, int words)
        {
            var defined = _places.Length - 1;
            var counts = WordEncoder.HeaderSize;
            var position = counts;
            long counted = rows;
            for (var row = 0; row < rows; row++)
            {
                if (!Varuint.TryRead(_source, ref position, out var more))
                {
                    return Wrong(row, rows);
                }

                counted += more;
            }

            if (counted != words || _source.Length - position < (2L * words) + (2L * defined))
            {
                return Wrong(counted, words);
            }

            _low = _source.Slice(position, words);
            _high = _source.Slice(position + words, words);
            _prefixes = _source.Slice(position + (2 * words), defined);
            var error = Lengths(position + (2 * words) + defined);
            return error.Kind == BatchErrorKind.None ? Rows(_source[counts..], rows) : error;
        }

        /// <summary>Reads how long the new words are, and leaves their suffixes.</summary>
        private BatchError Lengths(int position)
        {
            _places[0] = 0;
            var (before, total) = (0, 0L);
            for (var i = 0; i < _prefixes.Length; i++)
            {
                if (!Varuint.TryRead(_source, ref position, out var suffix) || _prefixes[i] > before || _prefixes[i] + suffix > Limits.MaxStringBytes)
                {
                    return Wrong(_prefixes[i], before);
                }

                before = _prefixes[i] + suffix;
                total += suffix;
                _places[i + 1] = before;
            }

            _suffixes = _source[position..];
            return total == _suffixes.Length ? default : Wrong(_suffixes.Length, total);
        }

        private BatchError Rows(ReadOnlySpan<byte> counts, int rows)
        {
            var (word, counted, position) = (0, 0, 0);
            for (var row = 0; row < rows; row++)
            {
                Varuint.TryRead(counts, ref counted, out var more);
                long length = more;
                var (first, seen) = (word, _seen);
                for (; word <= first + more; word++)
                {
                    var reference = _low[word] | (_high[word] << 8);
                    var index = reference == 0 ? ++seen : reference - 1;
                    if (index > seen || index >= _places.Length)
                    {
                        return Wrong(reference, seen + 1);
                    }

                    length += (int)_places[index];
                }

                if (length > Limits.MaxStringBytes || Varuint.Size((int)length) + length > _destination.Length - position)
                {
                    return Wrong(length, _destination.Length - position);
                }

                position += Varuint.Write(_destination[position..], (int)length);
                for (var w = first; w < word; w++)
                {
                    if (w > first)
                    {
                        _destination[position++] = 0;
                    }

                    position = Put(_low[w] | (_high[w] << 8), position);
                }
            }

            return _seen == _prefixes.Length && position == _destination.Length ? default : Wrong(position, _destination.Length);
        }

        private int Put(int reference, int position)
        {
            if (reference != 0)
            {
                var place = _places[reference - 1];
                _destination.Slice((int)(place >> 32), (int)place).CopyTo(_destination[position..]);
                return position + (int)place;
            }

            int prefix = _prefixes[_seen];
            var before = (int)(_places[_seen] >> 32);
            ref var mine = ref _places[++_seen];
            var length = (int)mine;
            mine |= (long)position << 32;
            _destination.Slice(before, prefix).CopyTo(_destination[position..]);
            _suffixes[..(length - prefix)].CopyTo(_destination[(position + prefix)..]);
            _suffixes = _suffixes[(length - prefix)..];
            return position + length;
        }

        private readonly BatchError Wrong(long value, long bound) => new(BatchErrorKind.ColumnEncoding, _id, value, bound);
    }
}
