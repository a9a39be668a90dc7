using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace Streams.Gateway.Connections;

/// <summary>The socket that agents come in on. What is set on it, Linux gives to every connection that it accepts.</summary>
internal static class ListenSocket
{
    /// <summary>
    /// Unsent bytes of a connection in the kernel, as on the agent's side (review 51): behind a slow reader a control frame waits for so much and no more. The
    /// buffer itself stays the kernel's to size: what is sent and not acknowledged yet belongs to the line, and a small buffer would cap a long one.
    /// </summary>
    internal const int NotSentLowWater = 64 * 1024;

    internal const int TcpNotSentLowAt = 25; // linux/tcp.h

    /// <summary>As Kestrel makes one, bound.</summary>
    internal static Socket Create(EndPoint endpoint)
    {
        var socket = SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint);
        Span<byte> value = stackalloc byte[sizeof(int)];
        BitConverter.TryWriteBytes(value, NotSentLowWater);
        socket.SetRawSocketOption((int)ProtocolType.Tcp, TcpNotSentLowAt, value);
        return socket;
    }
}
