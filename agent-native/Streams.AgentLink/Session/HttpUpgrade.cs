using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Streams.Wire;
using Streams.Wire.Crypto;
using Streams.Wire.Handshake;

namespace Streams.AgentLink.Session;

/// <summary>The WebSocket upgrade (RFC 6455 section 4) by hand: HttpClient would bring its whole stack into the agent.</summary>
internal static class HttpUpgrade
{
    private const int MaxResponseBytes = 4096;
    private const int MaxRetryAfterSeconds = 3600;

    /// <summary>Sends the request, checks the response and gives the connection behind it.</summary>
    /// <exception cref="LinkEndedException">The response is not the upgrade that was asked for.</exception>
    internal static async Task<WebSocketConnection> RunAsync(Socket socket, string authority, HandshakeContext context, CancellationToken cancellation)
    {
        var key = NewKey();
        var request = Encoding.ASCII.GetBytes(
            $"GET {context.RequestPath} HTTP/1.1\r\nHost: {authority}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
            $"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: {context.OfferedSubprotocols}\r\n\r\n");
        for (ReadOnlyMemory<byte> rest = request; !rest.IsEmpty;)
        {
            rest = rest[await socket.SendAsync(rest, SocketFlags.None, cancellation).ConfigureAwait(false)..];
        }

        var buffer = new byte[MaxResponseBytes];
        var filled = 0;
        while (true)
        {
            var end = buffer.AsSpan(0, filled).IndexOf("\r\n\r\n"u8);
            if (end >= 0)
            {
                Check(Encoding.ASCII.GetString(buffer, 0, end), key, context);
                return new WebSocketConnection(socket, buffer.AsSpan(end + 4, filled - end - 4));
            }

            var read = filled < buffer.Length ? await socket.ReceiveAsync(buffer.AsMemory(filled), SocketFlags.None, cancellation).ConfigureAwait(false) : 0;
            if (read == 0)
            {
                throw NotReached(filled == buffer.Length ? "the upgrade response is too long" : "the connection closed during the upgrade");
            }

            filled += read;
        }
    }

    internal static string AcceptKey(string key)
    {
        Span<byte> digest = stackalloc byte[Sha1.Size];
        Sha1.Hash(Encoding.ASCII.GetBytes(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"), digest);
        return Convert.ToBase64String(digest);
    }

    internal static void Check(string response, string key, HandshakeContext context)
    {
        var lines = response.Split("\r\n");
        var status = lines[0].Split(' ', 3);
        if (status.Length < 2 || status[0] != "HTTP/1.1" || status[1] != "101")
        {
            throw NotReached($"the gateway answered \"{Printable(lines[0])}\"", RetryAfter(lines));
        }

        if (!string.Equals(Single(lines, "Upgrade"), "websocket", StringComparison.OrdinalIgnoreCase) ||
            Single(lines, "Connection")?.Contains("upgrade", StringComparison.OrdinalIgnoreCase) != true ||
            Single(lines, "Sec-WebSocket-Accept") != AcceptKey(key) || Single(lines, "Sec-WebSocket-Extensions") is not null)
        {
            throw NotReached("the upgrade response is not a WebSocket without extensions");
        }

        // An agent never falls back: another selected subprotocol is a downgrade, whoever did it.
        if (Single(lines, "Sec-WebSocket-Protocol") != context.SelectedSubprotocol)
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

    private static TimeSpan RetryAfter(string[] lines) =>
        int.TryParse(Single(lines, "Retry-After"), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            ? TimeSpan.FromSeconds(Math.Min(seconds, MaxRetryAfterSeconds)) : TimeSpan.Zero;

    /// <summary>Value of a header that must occur once; null when it is absent, an impossible value when it is repeated.</summary>
    private static string? Single(string[] lines, string name)
    {
        string? found = null;
        for (var i = 1; i < lines.Length; i++)
        {
            var colon = lines[i].IndexOf(':');
            if (colon > 0 && lines[i].AsSpan(0, colon).Equals(name, StringComparison.OrdinalIgnoreCase))
            {
                found = found is null ? lines[i][(colon + 1)..].Trim() : "\0";
            }
        }

        return found;
    }

    private static string Printable(string text) => new([.. text.Where(c => c is >= ' ' and < (char)127).Take(120)]);

    private static LinkEndedException NotReached(string detail, TimeSpan retryAfter = default) =>
        new(new LinkEnd(LinkEndReason.NotReached, detail, RetryAfter: retryAfter));
}
