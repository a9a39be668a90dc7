namespace NATS.NKeys;

/// <summary>Base32 of RFC 4648 section 6 without padding, the text form of nkeys. Upper case only, as nats-server has it.</summary>
internal static class Base32
{
    private const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

    public static int EncodedLength(int bytes) => ((bytes * 8) + 4) / 5;

    public static int DecodedLength(int characters) => characters * 5 / 8;

    public static void Encode(ReadOnlySpan<byte> source, Span<char> destination)
    {
        int buffer = 0, bits = 0, written = 0;
        foreach (var value in source)
        {
            buffer = (buffer << 8) | value;
            bits += 8;
            while (bits >= 5)
            {
                bits -= 5;
                destination[written++] = Alphabet[(buffer >> bits) & 31];
            }

            buffer &= (1 << bits) - 1;
        }

        if (bits > 0)
            destination[written] = Alphabet[(buffer << (5 - bits)) & 31];
    }

    /// <summary>False if a character is not of the alphabet or the unused last bits are not zero (two texts for one key).</summary>
    public static bool TryDecode(ReadOnlySpan<char> source, Span<byte> destination)
    {
        int buffer = 0, bits = 0, written = 0;
        foreach (var character in source)
        {
            var value = character switch
            {
                >= 'A' and <= 'Z' => character - 'A',
                >= '2' and <= '7' => character - '2' + 26,
                _ => -1,
            };
            if (value < 0)
                return false;
            buffer = (buffer << 5) | value;
            bits += 5;
            if (bits >= 8)
            {
                bits -= 8;
                destination[written++] = (byte)(buffer >> bits);
                buffer &= (1 << bits) - 1;
            }
        }

        return buffer == 0 && bits < 5;
    }
}
