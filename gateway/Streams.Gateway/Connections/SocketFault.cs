using System.Net.Sockets;
using System.Net.WebSockets;

namespace Streams.Gateway.Connections;

/// <summary>Which exceptions of a socket only say that the peer or the connection is gone. Anything else is a fault of ours.</summary>
internal static class SocketFault
{
    public static bool IsGone(Exception error) =>
        error is WebSocketException or SocketException or IOException or ObjectDisposedException or OperationCanceledException or InvalidOperationException;
}
