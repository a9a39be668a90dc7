using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using Streams.AgentLink.Session;
using Streams.AgentLink.Tests.Gateway;
using Streams.Wire;
using Streams.Wire.Frames;
using Streams.Wire.Handshake;

namespace Streams.AgentLink.Tests;

/// <summary>Our client half of RFC 6455 against .NET's server half, and against bytes that no server should send.</summary>
public sealed class WebSocketTests
{
    /// <summary>RFC 3174 section 7.3 and the example of RFC 6455 section 1.3.</summary>
    [Fact]
    public void AcceptKeyMatchesTheStandards()
    {
        Span<byte> digest = stackalloc byte[Sha1.Size];
        Sha1.Hash("abc"u8, digest);
        Assert.Equal("A9993E364706816ABA3E25717850C26C9CD0D89D", Convert.ToHexString(digest));
        Sha1.Hash("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"u8, digest);
        Assert.Equal("84983E441C3BD26EBAAE4AA1F95129E5E54670F1", Convert.ToHexString(digest));
        Assert.Equal("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", HttpUpgrade.AcceptKey("dGhlIHNhbXBsZSBub25jZQ=="));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(125)]
    [InlineData(126)]
    [InlineData(65_535)]
    [InlineData(65_536)]
    [InlineData(262_144)]
    public async Task MessagesOfEveryLengthFormArriveWhole(int length)
    {
        using var pair = await SocketPair.CreateAsync();
        using var client = new WebSocketConnection(pair.Client, []);
        using var server = pair.Server();
        var payload = new byte[length];
        new Random(length).NextBytes(payload);
        var buffer = new byte[WebSocketConnection.HeaderRoom + length];
        payload.CopyTo(buffer, WebSocketConnection.HeaderRoom);
        var send = client.SendAsync(buffer, length, default).AsTask();
        var received = new byte[length + 1];
        var filled = 0;
        ValueWebSocketReceiveResult result;
        do
        {
            result = await server.ReceiveAsync(received.AsMemory(filled), default);
            filled += result.Count;
        }
        while (!result.EndOfMessage);

        await send;
        Assert.Equal(WebSocketMessageType.Binary, result.MessageType);
        Assert.Equal(payload, received[..filled]);
    }

    [Fact]
    public async Task FragmentsAreJoined()
    {
        using var pair = await SocketPair.CreateAsync();
        using var client = new WebSocketConnection(pair.Client, []);
        using var server = pair.Server();
        var payload = new byte[30_000];
        new Random(1).NextBytes(payload);
        await server.SendAsync(payload.AsMemory(0, 7), WebSocketMessageType.Binary, endOfMessage: false, default);
        await server.SendAsync(payload.AsMemory(7, 20_000), WebSocketMessageType.Binary, endOfMessage: false, default);
        await server.SendAsync(payload.AsMemory(20_007), WebSocketMessageType.Binary, endOfMessage: true, default);
        var message = await client.ReceiveAsync(default);
        Assert.Equal(payload, message.ToArray());
    }

    [Theory]
    [InlineData("8285aabbccdd0000000000")] // masked
    [InlineData("c20100")] // reserved bit
    [InlineData("810161")] // text
    [InlineData("800100")] // continuation of nothing
    [InlineData("827f7fffffffffffffff")] // 2^63 - 1 bytes
    [InlineData("827fffffffffffffffff")] // negative
    [InlineData("827f0000000000010001")] // above the limit
    [InlineData("020161" + "807f7fffffffffffffff")] // a fragment, then 2^63 - 1 bytes: the sum must not wrap
    [InlineData("897e0080")] // long ping
    [InlineData("090100")] // fragmented ping
    [InlineData("830100")] // reserved opcode
    [InlineData("8b0100")] // reserved control opcode
    public async Task BytesThatNoServerSendsEndTheConnection(string hex)
    {
        using var pair = await SocketPair.CreateAsync();
        using var client = new WebSocketConnection(pair.Client, []);
        await pair.Other.SendAsync(Convert.FromHexString(hex + new string('0', 400)));
        var ended = await Assert.ThrowsAsync<LinkEndedException>(async () => await client.ReceiveAsync(default));
        Assert.Equal(CloseCode.Protocol, ended.End.Close);
    }

    [Fact]
    public async Task APingIsAnsweredWithItsPayload()
    {
        using var gateway = new ScriptedGateway();
        await using var link = new RunningLink(gateway);
        await using var peer = await gateway.AcceptSessionAsync();
        await peer.ReceiveAsync(FrameType.Heartbeat);
        await peer.Socket.SendAsync(Convert.FromHexString("8903616263"));
        var pong = new byte[64];
        var length = await peer.Socket.ReceiveAsync(pong).WaitAsync(ScriptedGateway.Deadline);
        Assert.Equal(9, length);
        Assert.Equal((0x8a, 0x83), (pong[0], pong[1]));
        Assert.Equal("abc", Encoding.ASCII.GetString([.. Enumerable.Range(0, 3).Select(i => (byte)(pong[6 + i] ^ pong[2 + i]))]));
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK")]
    [InlineData("HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: wrong")]
    [InlineData("HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")]
    [InlineData("HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" +
        "Sec-WebSocket-Protocol: streams.v1.bin\r\nSec-WebSocket-Protocol: streams.v1.json")]
    [InlineData("HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" +
        "Sec-WebSocket-Protocol: streams.v1.bin\r\nSec-WebSocket-Extensions: permessage-deflate")]
    [InlineData("\0\0\0")]
    public void AWrongUpgradeResponseIsRefused(string response) =>
        Assert.Throws<LinkEndedException>(() => HttpUpgrade.Check(response, "dGhlIHNhbXBsZSBub25jZQ==", HandshakeContext.Binary));

    private sealed class SocketPair(Socket client, Socket other) : IDisposable
    {
        internal Socket Client { get; } = client;

        internal Socket Other { get; } = other;

        internal static async Task<SocketPair> CreateAsync()
        {
            using var listener = new TcpListener(IPAddress.Loopback, 0);
            listener.Start();
            var client = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await client.ConnectAsync(listener.LocalEndpoint);
            return new SocketPair(client, await listener.AcceptSocketAsync());
        }

        internal WebSocket Server() => WebSocket.CreateFromStream(
            new NetworkStream(Other), new WebSocketCreationOptions { IsServer = true, KeepAliveInterval = Timeout.InfiniteTimeSpan });

        public void Dispose()
        {
            Client.Dispose();
            Other.Dispose();
        }
    }
}
