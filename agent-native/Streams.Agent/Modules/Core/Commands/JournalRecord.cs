using System.Buffers.Binary;
using Streams.Control.Commands;
using Streams.Wire.Crypto;

namespace Streams.Agent.Modules.Core.Commands;

/// <summary>
/// A record of the journal, little-endian: <c>length u32 ‖ check 4 ‖ type u8 ‖ body</c>; length counts type and body, check is the first
/// bytes of SHA-256(type ‖ body), so that zeros are no record.
/// </summary>
internal static class JournalRecord
{
    /// <summary>Body: id 16 ‖ digest 32 ‖ signer u8 ‖ issued_at u64 ‖ deadline u64.</summary>
    public const byte Begun = 1;

    /// <summary>Body: id 16 ‖ the answer as it was signed.</summary>
    public const byte Ended = 2;

    /// <summary>Body: signer u8 ‖ time u64, a time that has been.</summary>
    public const byte Proved = 3;

    public const int HeaderBytes = 4 + CheckBytes;
    public const int BegunBytes = CommandId.Size + Sha256.Size + 1 + 8 + 8;
    public const int ProvedBytes = 1 + 8;

    /// <summary>The longest type and body: an answer with its result.</summary>
    public const int MaxLength = 1 + CommandId.Size + CommandLimits.MaxResultBytes + 4096;
    private const int CheckBytes = 4;

    public static byte[] WriteBegun(JournalEntry entry)
    {
        var record = New(Begun, BegunBytes, out var body);
        BinaryPrimitives.WriteUInt128LittleEndian(body, entry.Id.Value);
        entry.Digest.CopyTo(body[CommandId.Size..]);
        body = body[(CommandId.Size + Sha256.Size)..];
        body[0] = (byte)entry.Signer;
        BinaryPrimitives.WriteUInt64LittleEndian(body[1..], entry.IssuedAt);
        BinaryPrimitives.WriteUInt64LittleEndian(body[9..], entry.Deadline);
        return Seal(record);
    }

    public static byte[] WriteEnded(CommandId id, ReadOnlySpan<byte> answer)
    {
        var record = New(Ended, CommandId.Size + answer.Length, out var body);
        BinaryPrimitives.WriteUInt128LittleEndian(body, id.Value);
        answer.CopyTo(body[CommandId.Size..]);
        return Seal(record);
    }

    public static byte[] WriteProved(CommandSigner signer, ulong time)
    {
        var record = New(Proved, ProvedBytes, out var body);
        body[0] = (byte)signer;
        BinaryPrimitives.WriteUInt64LittleEndian(body[1..], time);
        return Seal(record);
    }

    public static JournalEntry ReadBegun(ReadOnlySpan<byte> body) => new(
        ReadId(body), body.Slice(CommandId.Size, Sha256.Size).ToArray(), (CommandSigner)body[CommandId.Size + Sha256.Size],
        BinaryPrimitives.ReadUInt64LittleEndian(body[(CommandId.Size + Sha256.Size + 1)..]),
        BinaryPrimitives.ReadUInt64LittleEndian(body[(CommandId.Size + Sha256.Size + 9)..]));

    public static CommandId ReadId(ReadOnlySpan<byte> body) => new(BinaryPrimitives.ReadUInt128LittleEndian(body));

    public static bool IsWhole(ReadOnlySpan<byte> header, ReadOnlySpan<byte> typeAndBody)
    {
        var fits = typeAndBody[0] switch
        {
            Begun => typeAndBody.Length == 1 + BegunBytes,
            Ended => typeAndBody.Length >= 1 + CommandId.Size,
            Proved => typeAndBody.Length == 1 + ProvedBytes,
            _ => false,
        };
        if (!fits)
            return false;
        Span<byte> digest = stackalloc byte[Sha256.Size];
        Sha256.Hash(typeAndBody, digest);
        return digest[..CheckBytes].SequenceEqual(header[4..HeaderBytes]);
    }

    /// <summary>
    /// Whether what should be one record that was not written to its end is a whole one with another length, or has whole ones in it. What
    /// an answer says is text, and neither a length nor a type is: it is not taken for records.
    /// </summary>
    public static bool IsAnyIn(ReadOnlySpan<byte> tail)
    {
        var content = tail[HeaderBytes..];
        if (IsWhole(tail[..HeaderBytes], content)
            || (content.Length > BegunBytes && IsWhole(tail[..HeaderBytes], content[..(1 + BegunBytes)]))
            || (content.Length > ProvedBytes && IsWhole(tail[..HeaderBytes], content[..(1 + ProvedBytes)])))
            return true;
        for (var at = 1; at + HeaderBytes < tail.Length; at++)
        {
            var length = BinaryPrimitives.ReadInt32LittleEndian(tail[at..]);
            if (length > 0 && length <= tail.Length - at - HeaderBytes
                && IsWhole(tail.Slice(at, HeaderBytes), tail.Slice(at + HeaderBytes, length)))
                return true;
        }

        return false;
    }

    private static byte[] New(byte type, int bodyBytes, out Span<byte> body)
    {
        var record = new byte[HeaderBytes + 1 + bodyBytes];
        record[HeaderBytes] = type;
        body = record.AsSpan(HeaderBytes + 1);
        return record;
    }

    private static byte[] Seal(byte[] record)
    {
        Span<byte> digest = stackalloc byte[Sha256.Size];
        Sha256.Hash(record.AsSpan(HeaderBytes), digest);
        BinaryPrimitives.WriteInt32LittleEndian(record, record.Length - HeaderBytes);
        digest[..CheckBytes].CopyTo(record.AsSpan(4));
        return record;
    }
}
