using System.Net;
using System.Net.Sockets;

namespace Streams.Gateway.Tests.Support;

/// <summary>
/// A TCP proxy that can stand still in both directions without closing: what a stopped process, or a dead route, looks like to its peer.
/// Then it goes on.
/// </summary>
internal sealed class StoppableProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Uri _target;
    private readonly Task _loop;
    private TaskCompletionSource _running = Completed();

    public StoppableProxy(Uri target)
    {
        _target = target;
        _listener.Start();
        _loop = Task.Run(AcceptAsync);
    }

    public Uri Url => new($"nats://{_listener.LocalEndpoint}");

    public void Stop() => _running = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Continue() => _running.TrySetResult();

    public async ValueTask DisposeAsync()
    {
        Continue();
        await _stop.CancelAsync();
        _listener.Stop();
        await _loop.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private static TaskCompletionSource Completed()
    {
        var completed = new TaskCompletionSource();
        completed.SetResult();
        return completed;
    }

    private async Task AcceptAsync()
    {
        var pairs = new List<Task>();
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                pairs.Add(ForwardAsync(client));
            }
        }
        finally
        {
            await Task.WhenAll(pairs);
        }
    }

    private async Task ForwardAsync(TcpClient client)
    {
        using var near = client;
        using var far = new TcpClient();
        await far.ConnectAsync(_target.Host, _target.Port, _stop.Token);
        await Task.WhenAny(CopyAsync(near, far), CopyAsync(far, near));
    }

    private async Task CopyAsync(TcpClient from, TcpClient to)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (await from.GetStream().ReadAsync(buffer, _stop.Token) is var read and > 0)
            {
                await _running.Task.WaitAsync(_stop.Token);
                await to.GetStream().WriteAsync(buffer.AsMemory(0, read), _stop.Token);
            }
        }
        catch (Exception error) when (error is IOException or OperationCanceledException or ObjectDisposedException or InvalidOperationException)
        {
            // One side is gone; the other is closed with it.
        }
    }
}
