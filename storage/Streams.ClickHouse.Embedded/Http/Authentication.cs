using System.Text;
using Streams.ClickHouse.Embedded.Engine;

namespace Streams.ClickHouse.Embedded.Http;

/// <summary>The three ways of ClickHouse: its own headers, basic authentication, parameters of the URL. Mixing them is refused, as there.</summary>
internal static class Authentication
{
    private const string Scheme = "Basic ";

    /// <returns>Null when the request may go on.</returns>
    public static EngineError? Check(HttpRequest request, Credentials credentials, out bool reader)
    {
        reader = false;
        var hasHeaders = request.Headers.ContainsKey(HeaderNames.User) || request.Headers.ContainsKey(HeaderNames.Key);
        var basic = request.Headers.Authorization.ToString();
        var hasParameters = request.Query.ContainsKey("user") || request.Query.ContainsKey("password");
        if ((hasHeaders ? 1 : 0) + (basic.Length > 0 ? 1 : 0) + (hasParameters ? 1 : 0) > 1)
            return Failed("Invalid authentication: it is not allowed to use several of Authorization header, X-ClickHouse headers and URL parameters at once");

        string user, password;
        if (hasHeaders)
            (user, password) = (request.Headers[HeaderNames.User].ToString(), request.Headers[HeaderNames.Key].ToString());
        else if (basic.Length > 0)
        {
            if (!TryDecode(basic, out user, out password))
                return Failed("Invalid authentication: only 'Basic' with base64 of user:password is supported");
        }
        else
            (user, password) = (request.Query["user"].ToString(), request.Query["password"].ToString());

        if (user.Length == 0)
            user = "default";
        reader = credentials.IsReader(user);
        return credentials.Accept(user, password)
            ? null
            : Failed($"{Printable(user)}: Authentication failed: password is incorrect, or there is no user with such name.");
    }

    private static EngineError Failed(string text) => EngineError.Raise(EngineError.AuthenticationFailed, "AUTHENTICATION_FAILED", text);

    private static string Printable(string user) => user.Length <= 64 && !user.Any(char.IsControl) ? user : "(unprintable)";

    private static bool TryDecode(string header, out string user, out string password)
    {
        (user, password) = ("", "");
        if (!header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
            return false;
        var encoded = header.AsSpan(Scheme.Length).Trim();
        Span<byte> decoded = stackalloc byte[512];
        if (encoded.Length > 680 || !Convert.TryFromBase64Chars(encoded, decoded, out var length))
            return false;
        var text = Encoding.UTF8.GetString(decoded[..length]);
        var colon = text.IndexOf(':');
        if (colon < 0)
            return false;
        (user, password) = (text[..colon], text[(colon + 1)..]);
        return true;
    }
}
