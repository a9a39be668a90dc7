using System.Buffers.Binary;

namespace Streams.Schema;

/// <summary>
/// Strings as words between NUL bytes (an argument list), each word once. Layout, integers little-endian:
/// <c>plain length u32 ‖ words u32 ‖ new words u32 ‖ rows × varuint (words of the row - 1) ‖ words × low byte of the reference ‖ words × its high byte ‖
/// new words × prefix u8 ‖ new words × varuint suffix length ‖ suffixes</c>. Reference 0 is the next new word, 1 the empty word, k + 1 the k-th new one; a new word begins with so
/// many bytes of the new word before it as its prefix says. The lists are apart because they compress apart.
/// </summary>
internal static class WordEncoder
{
    internal const int HeaderSize = 12;

    /// <summary>Distinct words that a reference of two bytes can name.</summary>
    internal const int MaxNewWords = 65_534;

    /// <summary>Bytes that a new word can have in common with the one before.</summary>
    internal const int MaxPrefix = 255;

    /// <param name="strings">A String column.</param>
    /// <param name="words">Scratch.</param>
    /// <param name="cuts">Told the lengths of the lists.</param>
    /// <returns>Bytes written; 0 when they do not fit: the destination is the place that the column needs as it is.</returns>
    internal static int TryEncode(ReadOnlySpan<byte> strings, int rows, KeyTable words, Span<byte> destination, ref BlockCuts cuts)
    {
        words.Clear();
        var writer = new Writer(destination);
        if (!writer.TryTake(HeaderSize, out var header) || !TryCount(strings, rows, ref writer, out var count)
            || !writer.TryTake(count, out var low) || !writer.TryTake(count, out var high))
        {
            return 0;
        }

        var lists = writer.Position;
        if (!TryRefer(strings, words, low, high) || !TryDefine(words, ref writer, out var suffixes))
        {
            return 0;
        }

        BinaryPrimitives.WriteUInt32LittleEndian(header, (uint)strings.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(header[4..], (uint)count);
        BinaryPrimitives.WriteUInt32LittleEndian(header[8..], (uint)words.Count - 1);
        cuts.Next(lists - count);
        cuts.Next(suffixes - lists + count);
        cuts.Next(writer.Position - suffixes);
        return writer.Position;
    }

    private static bool TryCount(ReadOnlySpan<byte> strings, int rows, ref Writer writer, out int words)
    {
        words = rows;
        foreach (var text in new StringRows(strings))
        {
            var more = text.Count((byte)0);
            words += more;
            if (!writer.TryVaruint(more))
            {
                return false;
            }
        }

        return true;
    }

    private static bool TryRefer(ReadOnlySpan<byte> strings, KeyTable words, Span<byte> low, Span<byte> high)
    {
        var at = 0;
        foreach (var text in new StringRows(strings))
        {
            var rest = text;
            for (var more = true; more; at++)
            {
                var end = rest.IndexOf((byte)0);
                more = end >= 0;
                var known = words.Count;
                var key = words.Intern(more ? rest[..end] : rest);
                var reference = key == known ? 0 : key + 1;
                (low[at], high[at]) = ((byte)reference, (byte)(reference >> 8));
                rest = more ? rest[(end + 1)..] : [];
            }

            if (words.Count > MaxNewWords)
            {
                return false;
            }
        }

        return true;
    }

    private static bool TryDefine(KeyTable words, ref Writer writer, out int suffixes)
    {
        suffixes = 0;
        if (!writer.TryTake(words.Count - 1, out var prefixes))
        {
            return false;
        }

        for (var pass = 0; pass < 2; pass++)
        {
            suffixes = writer.Position;
            var at = 0;
            ReadOnlySpan<byte> before = [];
            var all = new StringRows(words.Encoded);
            all.MoveNext(); // the empty word
            while (all.MoveNext())
            {
                var word = all.Current;
                var prefix = pass == 0 ? Math.Min(MaxPrefix, word.CommonPrefixLength(before)) : prefixes[at];
                prefixes[at++] = (byte)prefix;
                before = word;
                var suffix = word[prefix..];
                if (pass == 0 ? !writer.TryVaruint(suffix.Length) : !writer.TryCopy(suffix))
                {
                    return false;
                }
            }
        }

        return true;
    }

    /// <summary>Writes as long as there is room.</summary>
    private ref struct Writer(Span<byte> destination)
    {
        private readonly Span<byte> _destination = destination;

        public int Position { get; private set; }

        public bool TryTake(int length, out Span<byte> taken)
        {
            taken = [];
            if (length > _destination.Length - Position)
            {
                return false;
            }

            taken = _destination.Slice(Position, length);
            Position += length;
            return true;
        }

        public bool TryVaruint(int value)
        {
            if (_destination.Length - Position < Varuint.MaxBytes)
            {
                return false;
            }

            Position += Varuint.Write(_destination[Position..], value);
            return true;
        }

        public bool TryCopy(ReadOnlySpan<byte> bytes)
        {
            if (!TryTake(bytes.Length, out var place))
            {
                return false;
            }

            bytes.CopyTo(place);
            return true;
        }
    }
}
