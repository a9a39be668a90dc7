using System.Buffers;
using System.Text;
using Streams.Gateway.Upgrade;
using Streams.Wire;

namespace Streams.Gateway.Tests.Upgrade;

/// <summary>Which requests are granted (RFC 6455 4.2.1), and with which status any other is refused (RFC 9112, RFC 9110).</summary>
public sealed class UpgradeReaderTests
{
    private const string Key = "dGhlIHNhbXBsZSBub25jZQ==";
    private const string Line = $"GET {Protocol.Path} HTTP/1.1\r\n";
    private const string Host = "Host: gateway\r\n";
    private const string Rest = $"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {Key}\r\n";
    private const string Offer = "Sec-WebSocket-Protocol: streams.v1.bin\r\n";

    [Theory]
    [InlineData(Line + Host + Rest + Offer + "\r\n", Protocol.Path, "streams.v1.bin")]
    [InlineData(Line + Host + Rest + "\r\n", Protocol.Path, "")]
    [InlineData(Line + Host + Rest + "sec-websocket-protocol:\t streams.v1.json, streams.v1.bin \r\n\r\n", Protocol.Path, "streams.v1.json, streams.v1.bin")]
    [InlineData("GET /v1/agent?a=b HTTP/1.1\r\n" + Host + Rest + Offer + "\r\n", "/v1/agent?a=b", "streams.v1.bin")]
    [InlineData("GET http://gateway:8080/v1/agent HTTP/1.1\r\n" + Host + Rest + Offer + "\r\n", "http://gateway:8080/v1/agent", "streams.v1.bin")]
    [InlineData(Line + Host + "Connection: keep-alive, upgrade\r\nUpgrade: h2c, WebSocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + Key + "\r\nContent-Length: 0\r\n" + Offer + "\r\n", Protocol.Path, "streams.v1.bin")]
    public void A_right_request_is_granted_with_what_the_transcript_needs(string text, string target, string offers)
    {
        var bytes = Encoding.ASCII.GetBytes(text + "\x82more");
        Assert.Equal(UpgradeReader.Good, UpgradeReader.Read(new ReadOnlySequence<byte>(bytes), out var length, out var request));
        Assert.Equal(text.Length, length);
        Assert.Equal(new UpgradeRequest(target, offers, Key), request);
        for (var cut = 0; cut < text.Length; cut++)
        {
            Assert.Equal(UpgradeReader.Incomplete, UpgradeReader.Read(new ReadOnlySequence<byte>(bytes, 0, cut), out length, out request));
            Assert.Equal((0, null), (length, request));
        }
    }

    [Theory]
    [InlineData(400, "\r\n" + Line + Host + Rest + Offer)]
    [InlineData(400, "\n" + Line + Host + Rest + Offer)]
    [InlineData(400, "GET /v1/agent HTTP/1.1\n" + Host + Rest + Offer)]
    [InlineData(400, "GET  /v1/agent HTTP/1.1\r\n" + Host + Rest + Offer)]
    [InlineData(400, "GET /v1/ag\tent HTTP/1.1\r\n" + Host + Rest + Offer)]
    [InlineData(400, "G(T /v1/agent HTTP/1.1\r\n" + Host + Rest + Offer)]
    [InlineData(400, "GET /v1/agent\r\n" + Host + Rest + Offer)]
    [InlineData(505, "GET /v1/agent HTTP/2.0\r\n" + Host + Rest + Offer)]
    [InlineData(505, "GET /v1/agent HTTP/1.0\r\n" + Host + Rest + Offer)]
    [InlineData(400, "GET /v1/agent HTTQ/1.1\r\n" + Host + Rest + Offer)]
    [InlineData(404, "GET / HTTP/1.1\r\n" + Host + Rest + Offer)]
    [InlineData(404, "GET /v1/agents HTTP/1.1\r\n" + Host + Rest + Offer)]
    [InlineData(404, "GET http://v1/agent HTTP/1.1\r\n" + Host + Rest + Offer)]
    [InlineData(404, "GET http://gateway HTTP/1.1\r\n" + Host + Rest + Offer)]
    [InlineData(405, "POST /v1/agent HTTP/1.1\r\n" + Host + Rest + Offer)]
    [InlineData(405, "get /v1/agent HTTP/1.1\r\n" + Host + Rest + Offer)]
    [InlineData(400, Line + Rest + Offer)]
    [InlineData(400, Line + Host + Host + Rest + Offer)]
    [InlineData(400, Line)]
    [InlineData(400, Line + Host + Rest + Offer + Offer)]
    [InlineData(400, Line + Host + Rest + "Sec-WebSocket-Protocol: streams.v1.\u0001bin\r\n")]
    [InlineData(400, Line + Host + Rest + "Sec-WebSocket-Key: " + Key + "\r\n")]
    [InlineData(400, Line + Host + Rest + "Sec-WebSocket-Version: 13\r\n")]
    [InlineData(400, Line + Host + Rest + "Content-Length: 1\r\n")]
    [InlineData(400, Line + Host + Rest + "Transfer-Encoding: chunked\r\n")]
    [InlineData(400, Line + Host + Rest + "X : y\r\n")]
    [InlineData(400, Line + Host + Rest + "X: y\r\n folded\r\n")]
    [InlineData(400, Line + Host + Rest + "X: y\nZ: z\r\n")]
    [InlineData(400, Line + Host + Rest + "X: a\rb\r\n")]
    [InlineData(400, Line + Host + Rest + "X: a\0b\r\n")]
    [InlineData(400, Line + Host + Rest + "no colon\r\n")]
    [InlineData(400, Line + Host + "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + Key + "\r\n")]
    [InlineData(400, Line + Host + "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + Key + "\r\n")]
    [InlineData(400, Line + Host + "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n")]
    [InlineData(400, Line + Host + "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZTEy\r\n")]
    [InlineData(400, Line + Host + "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: !Ghl!HNhbXBsZSBub25jZQ==\r\n")]
    [InlineData(426, Line + Host + "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 8\r\nSec-WebSocket-Key: " + Key + "\r\n")]
    [InlineData(426, Line + Host + "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: " + Key + "\r\n")]
    public void Any_other_is_refused_with_a_status_that_says_why(int status, string text)
    {
        Assert.Equal(status, UpgradeReader.Read(new ReadOnlySequence<byte>(Encoding.Latin1.GetBytes(text + "\r\n")), out var length, out var request));
        Assert.Equal((0, null), (length, request));
    }

    [Fact]
    public void A_line_of_2_KiB_and_headers_of_4_KiB_are_the_most()
    {
        static string Target(int bytes) => "/v1/agent?" + new string('x', bytes - "GET /v1/agent? HTTP/1.1".Length);
        static string Padded(int bytes) => Host + Rest + Offer + "X: " + new string('x', bytes - (Host + Rest + Offer + "X: \r\n").Length) + "\r\n";
        static int Status(string text) => UpgradeReader.Read(new ReadOnlySequence<byte>(Encoding.ASCII.GetBytes(text)), out _, out _);

        Assert.Equal(UpgradeReader.Good, Status($"GET {Target(UpgradeReader.MaxLineBytes)} HTTP/1.1\r\n{Padded(UpgradeReader.MaxHeaderBytes)}\r\n"));
        Assert.Equal(414, Status($"GET {Target(UpgradeReader.MaxLineBytes + 1)} HTTP/1.1\r\n"));
        Assert.Equal(414, Status("GET " + new string('x', UpgradeReader.MaxLineBytes)));
        Assert.Equal(UpgradeReader.Incomplete, Status(Line + Padded(UpgradeReader.MaxHeaderBytes)));
        Assert.Equal(UpgradeReader.Incomplete, Status(Line + Padded(UpgradeReader.MaxHeaderBytes) + "\r"));
        Assert.Equal(431, Status($"{Line}{Padded(UpgradeReader.MaxHeaderBytes + 1)}\r\n"));
        Assert.Equal(431, Status(Line + new string('x', UpgradeReader.MaxHeaderBytes + 3)));
    }
}
