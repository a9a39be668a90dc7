using System.Text;

namespace Streams.AgentLink.Session;

/// <summary>A tunnel through an HTTP proxy (RFC 9110, CONNECT), with basic authentication when the proxy's address names a user.</summary>
internal static class HttpConnect
{
    /// <exception cref="LinkEndedException">The proxy gives no tunnel.</exception>
    internal static async Task RunAsync(Stream stream, Uri proxy, string target, CancellationToken cancellation)
    {
        var (head, early) = await HttpHead.AskAsync(stream, Request(proxy, target), "CONNECT", cancellation).ConfigureAwait(false);
        if (head.Status == 407)
        {
            throw NotReached(proxy, proxy.UserInfo.Length == 0
                ? "wants a user and a password: give them in link.proxy" : "does not take this user and password", head.RetryAfter);
        }

        if (head.Status is < 200 or > 299)
        {
            throw NotReached(proxy, $"gives no tunnel to {target}: \"{head.StatusLine}\"", head.RetryAfter);
        }

        // The agent speaks first, in TLS and in HTTP: whatever came already did not come from the gateway.
        if (early.Length > 0)
        {
            throw NotReached(proxy, "sent bytes that no gateway sent", default);
        }
    }

    internal static string Request(Uri proxy, string target)
    {
        var authorization = proxy.UserInfo.Length == 0 ? ""
            : $"Proxy-Authorization: Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes(Uri.UnescapeDataString(proxy.UserInfo)))}\r\n";
        return $"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{authorization}\r\n";
    }

    private static LinkEndedException NotReached(Uri proxy, string what, TimeSpan retryAfter) =>
        new(new LinkEnd(LinkEndReason.NotReached, $"the proxy {proxy.Host}:{proxy.Port} {what}", RetryAfter: retryAfter));
}
