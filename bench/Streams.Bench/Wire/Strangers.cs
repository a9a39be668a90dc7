using System.Net;
using System.Net.Sockets;
using System.Text;
using Streams.Wire;

namespace Streams.Bench.Wire;

/// <summary>Peers that no gateway knows, from addresses of their own: 127.99.x.1 sends junk, 127.98.x.1 says nothing; none shares an enrolled agent's.</summary>
internal static class Strangers
{
    /// <summary>Longer than a gateway waits for a silent peer's handshake and then for its close.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(9);

    /// <summary>Upgrades and sends an M2 of the right form that nobody signed, one handshake after the other.</summary>
    public static Task JunkAsync(IPEndPoint gateway, int source, double perSecond, Action begun, CancellationToken over)
    {
        var auth = UnsignedAuth();
        var answer = new byte[4096];
        return EachAsync(gateway, [127, 99, (byte)source, 1], perSecond, begun, async socket =>
        {
            using (socket)
            {
                await socket.ReceiveAsync(answer, over);
                await socket.SendAsync(auth, over);
                // M1, then the refusal or the end.
                await socket.ReceiveAsync(answer, over);
            }
        }, over);
    }

    /// <summary>Upgrades and leaves it at that, many at once: each holds what it was given for as long as it may.</summary>
    public static async Task SilentAsync(IPEndPoint gateway, int source, double perSecond, Action begun, CancellationToken over)
    {
        var held = new Queue<(Socket Socket, long Until)>();
        await EachAsync(gateway, [127, 98, (byte)source, 1], perSecond, begun, socket =>
        {
            held.Enqueue((socket, Environment.TickCount64 + (long)Silence.TotalMilliseconds));
            while (held.Peek().Until < Environment.TickCount64)
            {
                held.Dequeue().Socket.Dispose();
            }

            return Task.CompletedTask;
        }, over);
        foreach (var (socket, _) in held)
        {
            socket.Dispose();
        }
    }

    private static async Task EachAsync(
        IPEndPoint gateway, byte[] address, double perSecond, Action begun, Func<Socket, Task> then, CancellationToken over)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1 / perSecond));
        var request = Encoding.ASCII.GetBytes(
            $"GET {Protocol.Path} HTTP/1.1\r\nHost: {gateway}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            + $"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: {Protocol.BinarySubprotocol}\r\n\r\n");
        try
        {
            while (await timer.WaitForNextTickAsync(over))
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, LingerState = new LingerOption(true, 0) };
                try
                {
                    socket.Bind(new IPEndPoint(new IPAddress(address), 0));
                    await socket.ConnectAsync(gateway, over);
                    begun();
                    await socket.SendAsync(request, over);
                    await then(socket);
                }
                catch (SocketException)
                {
                    // Refused: the next one.
                    socket.Dispose();
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The phase is over.
        }
    }

    /// <summary>M2 in a WebSocket frame with a zero mask (RFC 6455 5.3): fields of the right form, a signature of noise.</summary>
    private static byte[] UnsignedAuth()
    {
        var id = "wire-0"u8;
        var body = new byte[5 + id.Length + 32 + 32 + 32 + 8 + 16 + 16 + 8 + 32 + 64];
        Random.Shared.NextBytes(body);
        (body[0], body[1], body[2], body[3], body[4]) = (2, Protocol.Version, Protocol.Suite, 1, (byte)id.Length);
        id.CopyTo(body.AsSpan(5));
        return [0x82, 0x80 | 126, (byte)(body.Length >> 8), (byte)body.Length, 0, 0, 0, 0, .. body];
    }
}
