using System.Buffers.Binary;
using System.Security.Cryptography;

namespace NATS.NKeys;

/// <summary>
/// Layout of an encoded key: one prefix byte (two for a seed: S and the kind, five bits each), 32 key bytes, CRC16 of all before it.
/// </summary>
internal static class NKeyText
{
    public const int KeySize = 32;

    private const int PublicSize = 1 + KeySize + 2;
    private const int SeedSize = 2 + KeySize + 2;

    public static bool IsPublicKind(PrefixByte prefix) => prefix is PrefixByte.Account or PrefixByte.Cluster or PrefixByte.Server
        or PrefixByte.Operator or PrefixByte.User;

    public static string EncodePublic(PrefixByte prefix, ReadOnlySpan<byte> key)
    {
        Span<byte> raw = stackalloc byte[PublicSize];
        raw[0] = (byte)prefix;
        key.CopyTo(raw[1..]);
        return Finish(raw);
    }

    public static string EncodeSeed(PrefixByte prefix, ReadOnlySpan<byte> seed)
    {
        Span<byte> raw = stackalloc byte[SeedSize];
        raw[0] = (byte)((byte)PrefixByte.Seed | ((byte)prefix >> 5));
        raw[1] = (byte)(((byte)prefix & 31) << 3);
        seed.CopyTo(raw[2..]);
        var text = Finish(raw);
        CryptographicOperations.ZeroMemory(raw);
        return text;
    }

    public static PrefixByte DecodePublic(ReadOnlySpan<char> text, Span<byte> key)
    {
        Span<byte> raw = stackalloc byte[PublicSize];
        Open(text, raw, "public key");
        var prefix = (PrefixByte)raw[0];
        if (!IsPublicKind(prefix))
            throw new NKeysException("The text is not a public nkey: its first letter names another kind.");
        raw[1..^2].CopyTo(key);
        return prefix;
    }

    public static PrefixByte DecodeSeed(ReadOnlySpan<char> text, Span<byte> seed)
    {
        Span<byte> raw = stackalloc byte[SeedSize];
        try
        {
            Open(text, raw, "seed");
            if ((raw[0] & 0xF8) != (byte)PrefixByte.Seed)
                throw new NKeysException("The text is not an nkey seed: a seed begins with S.");
            var prefix = (PrefixByte)(((raw[0] & 7) << 5) | (raw[1] >> 3));
            if (!IsPublicKind(prefix) || (raw[1] & 7) != 0)
                throw new NKeysException("The seed is of a kind that is not supported.");
            raw[2..^2].CopyTo(seed);
            return prefix;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(raw);
        }
    }

    private static string Finish(Span<byte> raw)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(raw[^2..], Crc16.Compute(raw[..^2]));
        Span<char> text = stackalloc char[Base32.EncodedLength(raw.Length)];
        Base32.Encode(raw, text);
        return new string(text);
    }

    private static void Open(ReadOnlySpan<char> text, Span<byte> raw, string what)
    {
        if (text.Length != Base32.EncodedLength(raw.Length))
            throw new NKeysException($"An nkey {what} has {Base32.EncodedLength(raw.Length)} characters, this text has {text.Length}.");
        if (!Base32.TryDecode(text, raw))
            throw new NKeysException($"The nkey {what} is not base32.");
        if (Crc16.Compute(raw[..^2]) != BinaryPrimitives.ReadUInt16LittleEndian(raw[^2..]))
            throw new NKeysException($"The checksum of the nkey {what} is wrong.");
    }
}
