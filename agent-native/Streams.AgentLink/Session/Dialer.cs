using System.Net;
using System.Net.Sockets;
using Streams.Wire.Handshake;

namespace Streams.AgentLink.Session;

/// <summary>From an address to an upgraded connection: TCP, a proxy's tunnel, TLS, HTTP upgrade, as many of them as it takes.</summary>
internal static class Dialer
{
    /// <summary>Unsent bytes in the kernel: enough to keep the line busy, little enough that the priorities above it mean
    /// something.</summary>
    private const int NotSentLowWater = 64 * 1024;
    private const int TcpNotSentLowAt = 25; // linux/tcp.h

    /// <param name="socket">Not connected yet; stays the caller's.</param>
    /// <exception cref="LinkEndedException">An answer on the way is not the one that was asked for.</exception>
    internal static async Task<WebSocketConnection> RunAsync(Socket socket, Uri gateway, AgentLinkOptions options, CancellationToken cancellation)
    {
        var secure = gateway.Scheme == "wss";
        var port = gateway.IsDefaultPort ? secure ? 443 : 80 : gateway.Port;
        var proxy = options.Proxy.For(gateway);
        if (options.LocalAddress is { } local)
        {
            socket.Bind(new IPEndPoint(local, 0));
        }

        await socket.ConnectAsync(proxy?.IdnHost ?? gateway.IdnHost, proxy?.Port ?? port, cancellation).ConfigureAwait(false);
        socket.NoDelay = true;
        if (OperatingSystem.IsLinux())
        {
            Span<byte> value = stackalloc byte[sizeof(int)];
            BitConverter.TryWriteBytes(value, NotSentLowWater);
            socket.SetRawSocketOption((int)ProtocolType.Tcp, TcpNotSentLowAt, value);
        }

        Stream stream = new NetworkStream(socket, ownsSocket: true);
        try
        {
            if (proxy is not null)
            {
                await HttpConnect.RunAsync(stream, proxy, $"{Bracketed(gateway)}:{port}", cancellation).ConfigureAwait(false);
            }

            if (secure)
            {
                stream = await options.Tls!.SecureAsync(stream, gateway.IdnHost.Trim('[', ']'), cancellation).ConfigureAwait(false);
            }

            return await HttpUpgrade.RunAsync(stream, socket, gateway.Authority, HandshakeContext.Binary, cancellation).ConfigureAwait(false);
        }
        catch
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private static string Bracketed(Uri gateway) => gateway.HostNameType == UriHostNameType.IPv6 ? $"[{gateway.IdnHost.Trim('[', ']')}]" : gateway.IdnHost;
}
