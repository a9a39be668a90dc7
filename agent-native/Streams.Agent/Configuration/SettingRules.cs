using System.Buffers.Text;
using Streams.Agent.Processes;
using Streams.AgentLink.Connect;

namespace Streams.Agent.Configuration;

/// <summary>The bounds of single values: null for an allowed value, otherwise a predicate that says what is wrong ("is '...', allowed is ...").</summary>
internal static class SettingRules
{
    private const int MaximumPath = 4096;

    public static string? AgentId(string value)
    {
        const string Rule = "allowed is [a-z0-9][a-z0-9-]{0,62}";
        if (value.Length == 0)
            return $"is missing, {Rule}";
        var fine = value.Length <= 63 && value[0] != '-';
        foreach (var c in value)
            fine &= c is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '-';
        return fine ? null : $"is '{value}', {Rule}";
    }

    public static string? Gateway(string value)
    {
        if (!Uri.TryCreate(value, UriKind.Absolute, out var uri))
            return $"is '{value}', allowed is ws://HOST:PORT/v1/agent";
        // OpenSSL costs memory that most agents need not spend: the frames carry their own encryption.
        if (uri.Scheme == "wss" && !TlsSupport.IsBuiltIn)
            return $"is '{value}', and this build has no TLS: use {TlsSupport.Program}, or ws (frames are encrypted by the protocol itself)";
        if (uri.Scheme is not ("ws" or "wss"))
            return $"has the scheme '{uri.Scheme}', allowed is ws (frames are encrypted by the protocol itself) or, with {TlsSupport.Program}, wss";
        if (uri.AbsolutePath is not ("/" or "/v1/agent") || uri.Host.Length == 0 || uri.Query.Length != 0 || uri.Fragment.Length != 0 || uri.UserInfo.Length != 0)
            return $"is '{value}', allowed is ws://HOST:PORT/v1/agent";
        return null;
    }

    public static string? FilePath(string value) =>
        value.Length is > 0 and <= MaximumPath && !value.Contains('\0') ? null : $"has {value.Length} characters, allowed is a path of 1 to {MaximumPath}";

    public static string? OptionalFilePath(string value) => value.Length == 0 ? null : FilePath(value);

    /// <summary>Never with the value in the message: it may hold a password.</summary>
    public static string? Proxy(string value) =>
        value is "" or "environment" || ProxyChoice.TryParse(value, out _) ? null : "is neither http://[USER:PASSWORD@]HOST:PORT nor environment";

    public static string? PublicKey(string value)
    {
        Span<byte> bytes = stackalloc byte[48];
        return value.Length is >= 43 and <= 44 && TryDecodeBase64Url(value, bytes, out var written) && written == 32
            ? null
            : $"is '{value}', allowed is 32 bytes in base64url (43 characters)";
    }

    /// <summary>Never says what it is: it is a secret.</summary>
    public static string? Token(string value) =>
        value.Length == 0 || Control.Identity.EnrolmentToken.TryParse(value.AsSpan().Trim(), out _) ? null : "is not a token, allowed is id.secret.root";

    public static string? Level(string value) =>
        value is "debug" or "info" or "warn" or "error" ? null : $"is '{value}', allowed is debug, info, warn or error";

    public static string? Cgroup(string value)
    {
        if (value.Length > 0 && value[0] == '/' && value.Length <= MaximumPath && !value.Contains('\0'))
            return null;
        return ulong.TryParse(value, out var id) && id != 0 ? null : $"is '{value}', allowed is an absolute path or a numeric id";
    }

    private static bool TryDecodeBase64Url(string text, Span<byte> bytes, out int written)
    {
        written = 0;
        return Base64Url.IsValid(text) && Base64Url.TryDecodeFromChars(text, bytes, out written);
    }
}
