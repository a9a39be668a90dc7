using System.Net;

namespace Streams.Host.Terminal;

/// <summary>Addresses given as options.</summary>
internal static class Address
{
    /// <exception cref="CommandFailure">Not an absolute address of one of the schemes.</exception>
    public static Uri Url(string option, string text, params ReadOnlySpan<string> schemes) =>
        Uri.TryCreate(text, UriKind.Absolute, out var url) && schemes.Contains(url.Scheme)
            ? url : throw new CommandFailure($"{option} {text}: expected {schemes[0]}://HOST:PORT", 2);

    /// <summary>Of a server behind this process, to which rows and passwords go: without TLS only on this machine, or where the operator trusts the network between.</summary>
    /// <exception cref="CommandFailure">Neither.</exception>
    public static Uri Backend(string option, string text, string plain, string secure, bool trusted)
    {
        var url = Url(option, text, plain, secure);
        return url.Scheme == secure || url.IsLoopback || trusted ? url
            : throw new CommandFailure($"{option} {text}: not on this machine; give {secure}://, or say --plain-backends if the network between is trusted", 2);
    }

    /// <exception cref="CommandFailure">Not an IP address with a port.</exception>
    public static IPEndPoint Endpoint(string option, string text) =>
        IPEndPoint.TryParse(text, out var endpoint) ? endpoint : throw new CommandFailure($"{option} {text}: expected ADDRESS:PORT, as 127.0.0.1:8080", 2);
}
