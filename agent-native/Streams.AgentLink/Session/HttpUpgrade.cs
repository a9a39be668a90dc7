using System.Net.Sockets;
using System.Text;
using Streams.Wire;
using Streams.Wire.Crypto;
using Streams.Wire.Handshake;

namespace Streams.AgentLink.Session;

/// <summary>The WebSocket upgrade (RFC 6455 section 4) by hand: HttpClient would bring its whole stack into the agent.</summary>
internal static class HttpUpgrade
{
    /// <summary>Over a connected socket, which the connection then owns.</summary>
    internal static Task<WebSocketConnection> RunAsync(Socket socket, string authority, HandshakeContext context, CancellationToken cancellation) =>
        RunAsync(new NetworkStream(socket, ownsSocket: true), socket, authority, context, cancellation);

    /// <summary>Sends the request, checks the response and gives the connection behind it.</summary>
    /// <param name="socket">Under <paramref name="stream"/>.</param>
    /// <exception cref="LinkEndedException">The response is not the upgrade that was asked for.</exception>
    internal static async Task<WebSocketConnection> RunAsync(
        Stream stream, Socket socket, string authority, HandshakeContext context, CancellationToken cancellation)
    {
        var key = NewKey();
        var (head, early) = await HttpHead.AskAsync(
            stream,
            $"GET {context.RequestPath} HTTP/1.1\r\nHost: {authority}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
            $"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: {context.OfferedSubprotocols}\r\n\r\n",
            "the upgrade",
            cancellation).ConfigureAwait(false);
        Check(head, key, context);
        return new WebSocketConnection(stream, socket, early);
    }

    internal static string AcceptKey(string key)
    {
        Span<byte> digest = stackalloc byte[Sha1.Size];
        Sha1.Hash(Encoding.ASCII.GetBytes(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"), digest);
        return Convert.ToBase64String(digest);
    }

    internal static void Check(string response, string key, HandshakeContext context) => Check(new HttpHead(response), key, context);

    private static void Check(HttpHead head, string key, HandshakeContext context)
    {
        if (head.Status != 101)
        {
            throw NotReached($"the gateway answered \"{head.StatusLine}\"", head.RetryAfter);
        }

        if (!string.Equals(head.Single("Upgrade"), "websocket", StringComparison.OrdinalIgnoreCase) ||
            head.Single("Connection")?.Contains("upgrade", StringComparison.OrdinalIgnoreCase) != true ||
            head.Single("Sec-WebSocket-Accept") != AcceptKey(key) || head.Single("Sec-WebSocket-Extensions") is not null)
        {
            throw NotReached("the upgrade response is not a WebSocket without extensions");
        }

        // An agent never falls back: another selected subprotocol is a downgrade, whoever did it.
        if (head.Single("Sec-WebSocket-Protocol") != context.SelectedSubprotocol)
        {
            throw new LinkEndedException(new LinkEnd(LinkEndReason.Refused,
                $"the gateway did not select {Protocol.BinarySubprotocol}", RefusalReason.Subprotocol));
        }
    }

    private static string NewKey()
    {
        Span<byte> nonce = stackalloc byte[16];
        Entropy.Fill(nonce);
        return Convert.ToBase64String(nonce);
    }

    private static LinkEndedException NotReached(string detail, TimeSpan retryAfter = default) =>
        new(new LinkEnd(LinkEndReason.NotReached, detail, RetryAfter: retryAfter));
}
