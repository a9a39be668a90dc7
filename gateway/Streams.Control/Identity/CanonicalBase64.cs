using System.Buffers;
using System.Buffers.Text;

namespace Streams.Control.Identity;

/// <summary>
/// base64url of a fixed number of bytes, in its one spelling: without padding, and with zero in the bits that no byte uses. Two texts of
/// one key would be two keys to whoever compares texts.
/// </summary>
public static class CanonicalBase64
{
    public static bool TryRead(ReadOnlySpan<char> text, Span<byte> bytes) =>
        text.Length == Base64Url.GetEncodedLength(bytes.Length)
        && Base64Url.DecodeFromChars(text, bytes, out var read, out var written) == OperationStatus.Done
        && read == text.Length && written == bytes.Length && Base64Url.EncodeToString(bytes).AsSpan().SequenceEqual(text);

    public static bool IsValid(string? text, int size)
    {
        Span<byte> bytes = stackalloc byte[64];
        return text is not null && TryRead(text, bytes[..size]);
    }
}
