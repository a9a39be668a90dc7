using System.Net;
using System.Net.Sockets;

namespace Streams.Worker.Tests.Faults;

/// <summary>A TCP relay on loopback that can be stopped: what comes in then waits, as with a peer that does not run.</summary>
internal sealed class Relay : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _closed = new();
    private readonly int _target;
    private volatile TaskCompletionSource _open = Opened();

    public Relay(int target)
    {
        _target = target;
        _listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public void Stop() => _open = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Continue() => _open.TrySetResult();

    public async ValueTask DisposeAsync()
    {
        Continue();
        await _closed.CancelAsync();
        _listener.Stop();
    }

    private static TaskCompletionSource Opened()
    {
        var opened = new TaskCompletionSource();
        opened.SetResult();
        return opened;
    }

    private async Task AcceptAsync()
    {
        while (!_closed.IsCancellationRequested)
        {
            var from = await _listener.AcceptTcpClientAsync(_closed.Token);
            var to = new TcpClient();
            await to.ConnectAsync(IPAddress.Loopback, _target, _closed.Token);
            _ = CopyAsync(from, to);
            _ = CopyAsync(to, from);
        }
    }

    private async Task CopyAsync(TcpClient from, TcpClient to)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            int count;
            while ((count = await from.GetStream().ReadAsync(buffer, _closed.Token)) != 0)
            {
                await _open.Task;
                await to.GetStream().WriteAsync(buffer.AsMemory(0, count), _closed.Token);
            }
        }
        catch (Exception error) when (error is IOException or OperationCanceledException or ObjectDisposedException or InvalidOperationException)
        {
        }

        from.Dispose();
        to.Dispose();
    }
}
