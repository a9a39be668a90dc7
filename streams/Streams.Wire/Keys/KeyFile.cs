using System.Buffers.Text;
using System.Text;
using Streams.Wire.Crypto;

namespace Streams.Wire.Keys;

/// <summary>
/// The text of a secret key file: line 1 <c>streams-key-1 {kind}</c>, line 2 base64url of seed (32) and check (4 = first bytes of
/// SHA-256(line 1 ‖ seed)). The check tells a damaged file from a wrong one. This class does no I/O: the caller reads the file and gives
/// its mode.
/// </summary>
public static class KeyFile
{
    public const int MaxBytes = 256;

    private const string Magic = "streams-key-1";
    private const int CheckSize = 4;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Mode a key file must have.</summary>
    public static UnixFileMode RequiredMode => OwnerOnly;

    public static byte[] Format(KeyFileKind kind, SigningKey key)
    {
        ArgumentNullException.ThrowIfNull(key);
        var head = Encoding.ASCII.GetBytes(Head(kind));
        Span<byte> body = stackalloc byte[SigningKey.SeedSize + CheckSize];
        Span<byte> digest = stackalloc byte[Sha256.Size];
        key.ExportSeed(body);
        Sha256.Hash(head, body[..SigningKey.SeedSize], digest);
        digest[..CheckSize].CopyTo(body[SigningKey.SeedSize..]);
        var text = new byte[head.Length + 1 + Base64Url.GetEncodedLength(body.Length) + 1];
        head.CopyTo(text, 0);
        text[head.Length] = (byte)'\n';
        Base64Url.EncodeToUtf8(body, text.AsSpan(head.Length + 1));
        text[^1] = (byte)'\n';
        Entropy.Erase(body);
        return text;
    }

    /// <summary>Null when only the owner can read the file, otherwise one line that says what to do.</summary>
    public static string? CheckMode(string path, UnixFileMode mode) =>
        (mode & ~OwnerOnly) == 0 ? null : $"{path}: key file mode is {Convert.ToString((int)mode, 8).PadLeft(4, '0')}, must be 0600: run chmod 600 {path}";

    /// <summary>Parses the content of a key file; on failure <paramref name="error"/> is one line that names file and problem.</summary>
    public static bool TryParse(string path, ReadOnlySpan<byte> content, KeyFileKind kind, out SigningKey? key, out string? error)
    {
        key = null;
        error = null;
        if (content.Length > MaxBytes)
        {
            error = $"{path}: not a key file: {content.Length} bytes, at most {MaxBytes}";
            return false;
        }

        var end = content.IndexOf((byte)'\n');
        var head = end < 0 ? content : content[..end];
        if (!head.StartsWith("streams-key-1 "u8))
        {
            error = $"{path}: not a key file: the first line must be \"{Head(kind)}\"";
            return false;
        }

        if (!head.SequenceEqual(Encoding.ASCII.GetBytes(Head(kind))))
        {
            error = $"{path}: wrong kind of key: the first line must be \"{Head(kind)}\"";
            return false;
        }

        var line = end < 0 ? [] : content[(end + 1)..].TrimEnd("\r\n "u8);
        Span<byte> body = stackalloc byte[SigningKey.SeedSize + CheckSize];
        // IsValid first: decoding throws for a character that is none.
        if (line.Length != Base64Url.GetEncodedLength(body.Length) || !Base64Url.IsValid(line) || !Base64Url.TryDecodeFromUtf8(line, body, out var written) || written != body.Length)
        {
            error = $"{path}: damaged key file: the second line must be {Base64Url.GetEncodedLength(body.Length)} characters of base64url";
            return false;
        }

        Span<byte> digest = stackalloc byte[Sha256.Size];
        Sha256.Hash(head, body[..SigningKey.SeedSize], digest);
        if (digest[..CheckSize].SequenceEqual(body[SigningKey.SeedSize..]))
        {
            key = SigningKey.FromSeed(body[..SigningKey.SeedSize]);
        }
        else
        {
            error = $"{path}: damaged key file: its check value is wrong";
        }

        Entropy.Erase(body);
        return key is not null;
    }

    private static string Head(KeyFileKind kind) => kind switch
    {
        KeyFileKind.Agent => Magic + " agent",
        KeyFileKind.Gateway => Magic + " gateway",
        KeyFileKind.Root => Magic + " root",
        KeyFileKind.Service => Magic + " service",
        KeyFileKind.Operator => Magic + " operator",
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };
}
