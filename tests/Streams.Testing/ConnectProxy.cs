using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Streams.Testing;

/// <summary>A small HTTP proxy that does CONNECT, over real sockets: with or without a password, or refusing.</summary>
public sealed class ConnectProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly string? _credentials;
    private readonly Task _loop;

    /// <param name="credentials"><c>user:password</c> that it wants; null when it wants none.</param>
    public ConnectProxy(string? credentials = null)
    {
        _credentials = credentials;
        _listener.Start();
        _loop = Task.Run(AcceptAsync);
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>What is answered instead of making a tunnel; null makes one.</summary>
    public string? Answer { get; init; }

    /// <summary>The targets of the tunnels that were made.</summary>
    public ConcurrentQueue<string> Tunnels { get; } = new();

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        _listener.Stop();
        await _loop.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        var tunnels = new List<Task>();
        try
        {
            while (true)
            {
                var client = await _listener.AcceptSocketAsync(_stop.Token).ConfigureAwait(false);
                tunnels.Add(Task.Run(() => ServeAsync(client)));
            }
        }
        finally
        {
            await Task.WhenAll(tunnels).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task ServeAsync(Socket accepted)
    {
        using var client = accepted;
        var head = new StringBuilder();
        var one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            if (await client.ReceiveAsync(one, _stop.Token).ConfigureAwait(false) == 0)
            {
                return;
            }

            head.Append((char)one[0]);
        }

        var lines = head.ToString().Split("\r\n");
        var request = lines[0].Split(' ');
        var wanted = _credentials is null ? null : $"Proxy-Authorization: Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes(_credentials))}";
        var answer = request is not ["CONNECT", _, "HTTP/1.1"] ? "HTTP/1.1 405 Method Not Allowed\r\n\r\n"
            : wanted is not null && !lines.Contains(wanted) ? "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"test\"\r\n\r\n"
            : Answer;
        if (answer is not null)
        {
            await client.SendAsync(Encoding.ASCII.GetBytes(answer), _stop.Token).ConfigureAwait(false);
            return;
        }

        Tunnels.Enqueue(request[1]);
        using var target = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await target.ConnectAsync(IPEndPoint.Parse(request[1]), _stop.Token).ConfigureAwait(false);
        await client.SendAsync("HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n"u8.ToArray(), _stop.Token).ConfigureAwait(false);
        await Task.WhenAny(CopyAsync(client, target), CopyAsync(target, client)).ConfigureAwait(false);
    }

    private async Task CopyAsync(Socket from, Socket to)
    {
        var buffer = new byte[64 * 1024];
        while (await from.ReceiveAsync(buffer, _stop.Token).ConfigureAwait(false) is var read and > 0)
        {
            for (var sent = 0; sent < read;)
            {
                sent += await to.SendAsync(buffer.AsMemory(sent, read - sent), _stop.Token).ConfigureAwait(false);
            }
        }
    }
}
