using System.Net;
using System.Net.Sockets;

namespace Streams.Bench.Chaos.Running;

/// <summary>The network between sources and gateway: forwards, or is cut, or holds everything back.</summary>
internal sealed class TcpProxy : IAsyncDisposable
{
    private const int Chunk = 64 * 1024;
    private const int SlowChunk = 8 * 1024;

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private readonly HashSet<Socket> _sockets = [];
    private readonly Task _accept;
    private TaskCompletionSource _open = Opened();
    private volatile bool _cut;
    private readonly int _uplink;
    private volatile int _target;

    /// <param name="uplinkBytesPerSecond">What a connection carries towards the gateway; 0 = no limit.</param>
    public TcpProxy(int target, int uplinkBytesPerSecond = 0)
    {
        _target = target;
        _uplink = uplinkBytesPerSecond;
        if (_uplink > 0)
        {
            // A slow link has a short queue; accepted sockets inherit it.
            _listener.Server.ReceiveBufferSize = SlowChunk;
        }

        _listener.Start();
        _accept = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Closes every connection and lets no new one through.</summary>
    public void Cut()
    {
        _cut = true;
        Drop();
    }

    /// <summary>Keeps connections and forwards nothing.</summary>
    public void Hold() => _open = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Forwards again.</summary>
    public void Heal()
    {
        _cut = false;
        _open.TrySetResult();
    }

    /// <summary>New connections go to this port; present ones end.</summary>
    public void Route(int port)
    {
        _target = port;
        Drop();
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        Heal();
        Drop();
        await _accept.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private static TaskCompletionSource Opened()
    {
        var source = new TaskCompletionSource();
        source.SetResult();
        return source;
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            _ = ServeAsync(await _listener.AcceptSocketAsync(_stop.Token));
        }
    }

    private async Task ServeAsync(Socket client)
    {
        using var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        using (client)
        {
            if (_cut)
            {
                return;
            }

            Track(client, server);
            try
            {
                await server.ConnectAsync(IPAddress.Loopback, _target, _stop.Token);
                await Task.WhenAny(PumpAsync(client, server, _uplink), PumpAsync(server, client, 0));
            }
            catch (Exception error) when (error is SocketException or ObjectDisposedException or OperationCanceledException)
            {
                // The gateway is away or the network was cut: the source sees a closed connection.
            }
            finally
            {
                lock (_gate)
                {
                    _sockets.Remove(client);
                    _sockets.Remove(server);
                }
            }
        }
    }

    private async Task PumpAsync(Socket from, Socket to, int bytesPerSecond)
    {
        var buffer = new byte[bytesPerSecond > 0 ? SlowChunk : Chunk];
        try
        {
            int count;
            while ((count = await from.ReceiveAsync(buffer, _stop.Token)) > 0)
            {
                await _open.Task;
                for (var sent = 0; sent < count;)
                {
                    sent += await to.SendAsync(buffer.AsMemory(sent, count - sent), _stop.Token);
                }

                if (bytesPerSecond > 0)
                {
                    await Task.Delay(TimeSpan.FromSeconds((double)count / bytesPerSecond), _stop.Token);
                }
            }
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // Either end closed; so does the other.
        }
    }

    private void Track(Socket client, Socket server)
    {
        lock (_gate)
        {
            _sockets.Add(client);
            _sockets.Add(server);
        }
    }

    private void Drop()
    {
        lock (_gate)
        {
            foreach (var socket in _sockets)
            {
                socket.Close();
            }
        }
    }
}
