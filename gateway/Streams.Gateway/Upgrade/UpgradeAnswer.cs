using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Streams.Gateway.Upgrade;

/// <summary>What a request is answered.</summary>
internal static class UpgradeAnswer
{
    // RFC 6455 1.3.
    private static ReadOnlySpan<byte> Guid => "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"u8;

    /// <summary>Writes `101 Switching Protocols`; the first message goes out with it.</summary>
    public static void WriteGrant(IBufferWriter<byte> output, UpgradeRequest request, string subprotocol)
    {
        Span<byte> joined = stackalloc byte[request.Key.Length + Guid.Length];
        Encoding.ASCII.GetBytes(request.Key, joined);
        Guid.CopyTo(joined[request.Key.Length..]);
        Span<byte> digest = stackalloc byte[SHA1.HashSizeInBytes];
#pragma warning disable CA5350 // RFC 6455 has SHA-1; it protects nothing here.
        SHA1.HashData(joined, digest);
#pragma warning restore CA5350
        Span<byte> accept = stackalloc byte[Base64.GetMaxEncodedToUtf8Length(digest.Length)];
        Base64.EncodeToUtf8(digest, accept, out _, out var length);
        output.Write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: "u8);
        output.Write(accept[..length]);
        output.Write("\r\nSec-WebSocket-Protocol: "u8);
        Encoding.ASCII.GetBytes(subprotocol, output);
        output.Write("\r\n\r\n"u8);
    }

    /// <summary>Writes a refusal, after which the connection ends.</summary>
    /// <param name="retryAfter">Rounded up to seconds; nothing is said of zero.</param>
    public static void WriteRefusal(IBufferWriter<byte> output, int status, TimeSpan retryAfter, DateTimeOffset now)
    {
        var text = string.Create(CultureInfo.InvariantCulture, $"HTTP/1.1 {status} {Reason(status)}\r\nContent-Length: 0\r\nConnection: {(status == 426 ? "close, upgrade" : "close")}\r\nDate: {now:r}\r\n");
        Encoding.ASCII.GetBytes(text, output);
        if (retryAfter > TimeSpan.Zero)
        {
            Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"Retry-After: {(int)Math.Ceiling(retryAfter.TotalSeconds)}\r\n"), output);
        }

        output.Write(status switch
        {
            405 => "Allow: GET\r\n\r\n"u8,
            426 => "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n"u8,
            _ => "\r\n"u8,
        });
    }

    private static string Reason(int status) => status switch
    {
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        414 => "URI Too Long",
        426 => "Upgrade Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        _ => "Refused",
    };
}
