using System.Net;
using System.Net.Sockets;
using Streams.Gateway.Connections;

namespace Streams.Gateway.Tests.Connections;

public sealed class ListenSocketTests
{
    [Fact]
    public async Task Each_connection_that_it_accepts_holds_little_unsent()
    {
        using var listener = ListenSocket.Create(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        using var peer = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await peer.ConnectAsync(listener.LocalEndPoint!);
        using var accepted = await listener.AcceptAsync();
        var value = new byte[sizeof(int)];
        accepted.GetRawSocketOption((int)ProtocolType.Tcp, ListenSocket.TcpNotSentLowAt, value);
        Assert.Equal(ListenSocket.NotSentLowWater, BitConverter.ToInt32(value));
    }
}
