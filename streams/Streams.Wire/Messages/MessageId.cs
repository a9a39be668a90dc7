using System.Text;

namespace Streams.Wire.Messages;

/// <summary>Ids of messages: 1 to 64 of <c>[A-Za-z0-9._-]</c>, so that they can be keys, subject tokens and words in a log.</summary>
public static class MessageId
{
    public static bool IsValid(ReadOnlySpan<byte> ascii)
    {
        foreach (var b in ascii)
        {
            if (b is not ((>= (byte)'a' and <= (byte)'z') or (>= (byte)'A' and <= (byte)'Z') or (>= (byte)'0' and <= (byte)'9') or (byte)'.' or (byte)'_' or (byte)'-'))
            {
                return false;
            }
        }

        return ascii.Length is > 0 and <= Limits.MaxMessageIdBytes;
    }

    public static bool IsValid(string? text)
    {
        if (string.IsNullOrEmpty(text) || text.Length > Limits.MaxMessageIdBytes)
        {
            return false;
        }

        Span<byte> ascii = stackalloc byte[Limits.MaxMessageIdBytes];
        return Ascii.FromUtf16(text, ascii, out var written) == System.Buffers.OperationStatus.Done && IsValid(ascii[..written]);
    }

    /// <summary>32 random hex digits.</summary>
    public static string New()
    {
        Span<byte> random = stackalloc byte[16];
        Crypto.Entropy.Fill(random);
        return Convert.ToHexStringLower(random);
    }
}
