using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Streams.Storage.Tests;

/// <summary>Stands between a client and the engine: can be away, and can change what is asked.</summary>
internal static class Relay
{
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>Relays until it is stopped, which also cuts what it has.</summary>
    /// <param name="change">Is given what the client sends, piece by piece, byte by byte as Latin-1.</param>
    public static async Task RunAsync(int from, int to, CancellationToken stop, Func<string, string>? change = null)
    {
        using var listener = new TcpListener(IPAddress.Loopback, from);
        listener.Start();
        while (true)
        {
            var near = await listener.AcceptTcpClientAsync(stop);
            var far = new TcpClient();
            await far.ConnectAsync(IPAddress.Loopback, to, stop);
            stop.Register(near.Dispose);
            _ = CopyAsync(near.GetStream(), far.GetStream(), change ?? (static text => text));
            _ = far.GetStream().CopyToAsync(near.GetStream(), CancellationToken.None);
        }
    }

    private static async Task CopyAsync(NetworkStream from, NetworkStream to, Func<string, string> change)
    {
        var buffer = new byte[64 * 1024];
        for (int read; (read = await from.ReadAsync(buffer)) > 0;)
        {
            await to.WriteAsync(Encoding.Latin1.GetBytes(change(Encoding.Latin1.GetString(buffer, 0, read))));
        }
    }
}
