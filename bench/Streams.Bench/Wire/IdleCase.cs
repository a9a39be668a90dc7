using System.Net;
using System.Net.Sockets;
using System.Text;
using Streams.Bench.Running;
using Streams.Local;

namespace Streams.Bench.Wire;

/// <summary>Resident bytes of an idle authenticated session, and of an idle connection of the leanest Kestrel WebSocket echo in the same run.</summary>
internal static class IdleCase
{
    /// <summary>Held before the others come: what is allocated once must not count as a session's, and what others left free in the heap not as a session's saving.</summary>
    private const int Held = 1000;
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(3);

    /// <summary>Bytes a session at the gateway. Below 90 s, or the heartbeats that are not sent would end it.</summary>
    public static Task<double> SessionBytesAsync(Swarm swarm, int server, CancellationToken stop) =>
        HoldAsync(swarm.Identities.Length, server, index => ConnectAsync(swarm, index, stop), stop);

    /// <summary>Bytes a connection at the echo, which runs as a process of its own.</summary>
    public static async Task<double> EchoBytesAsync(string directory, int connections, CancellationToken stop)
    {
        var listening = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var echo = ChildProcess.Start(new ChildOptions
        {
            Name = "echo",
            FileName = "dotnet",
            Arguments = [typeof(IdleCase).Assembly.Location, EchoServer.Verb],
            LogPath = Path.Combine(directory, "echo.log"),
            OnLine = line => _ = int.TryParse(line, out var port) && listening.TrySetResult(port),
        });
        var gateway = new IPEndPoint(IPAddress.Loopback, await listening.Task.WaitAsync(TimeSpan.FromSeconds(30), stop));
        var bytes = await HoldAsync(connections, echo.Id, index => UpgradeAsync(gateway, index, stop), stop);
        await echo.StopAsync(TimeSpan.FromSeconds(10));
        return bytes;
    }

    private static async Task<double> HoldAsync(int count, int server, Func<int, Task<IDisposable>> connect, CancellationToken stop)
    {
        var held = new IDisposable?[count];
        try
        {
            var before = await AddAsync(0, Held);
            return (double)(await AddAsync(Held, count) - before) / (count - Held);
        }
        finally
        {
            Array.ForEach(held, static one => one?.Dispose());
        }

        async Task<long> AddAsync(int first, int end)
        {
            await Parallel.ForAsync(first, end, new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = stop },
                async (index, _) => held[index] = await connect(index));
            await Task.Delay(Settle, stop);
            return ProcessMemory.Resident(server);
        }
    }

    private static async Task<IDisposable> ConnectAsync(Swarm swarm, int index, CancellationToken stop) => await RawAgent.ConnectAsync(swarm, index, stop);

    private static async Task<IDisposable> UpgradeAsync(IPEndPoint server, int index, CancellationToken stop)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Bind(new IPEndPoint(RawAgent.SourceOf(index), 0));
        await socket.ConnectAsync(server, stop);
        var request = Encoding.ASCII.GetBytes(
            $"GET / HTTP/1.1\r\nHost: {server}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n");
        await socket.SendAsync(request, stop);
        var answer = new byte[1024];
        var read = await socket.ReceiveAsync(answer, stop);
        if (!answer.AsSpan(0, read).StartsWith("HTTP/1.1 101"u8))
        {
            throw new BenchFailure("the echo did not upgrade");
        }

        // One message there and back, as a session has had its handshake.
        byte[] message = [0x82, 0x84, 0, 0, 0, 0, 1, 2, 3, 4];
        await socket.SendAsync(message, stop);
        return await socket.ReceiveAsync(answer, stop) == 6 ? socket : throw new BenchFailure("the echo did not answer");
    }
}
