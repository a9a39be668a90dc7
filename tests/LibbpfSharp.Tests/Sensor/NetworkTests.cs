using System.Net;
using System.Net.Sockets;
using Streams.Agent.Modules.Observability.Sensor.Records;

namespace LibbpfSharp.Tests.Sensor;

public sealed class NetworkTests : SensorTest
{
    [Theory]
    [InlineData("127.0.0.1", 2)]
    [InlineData("::1", 10)]
    public void Connect_accept_and_close_have_all_their_fields(string address, byte family)
    {
        var before = BootClock.NowNs;
        using var listener = new TcpListener(IPAddress.Parse(address), 0);
        listener.Start();
        var server = (IPEndPoint)listener.LocalEndpoint;
        IPEndPoint local;
        using (var client = new TcpClient(server.AddressFamily))
        {
            client.Connect(server);
            local = (IPEndPoint)client.Client.LocalEndPoint!;
            using var accepted = listener.AcceptTcpClient();
            client.GetStream().Write(new byte[100_000].AsSpan(0, 1234));
            accepted.GetStream().ReadExactly(new byte[1234]);
            accepted.GetStream().Write(new byte[50_000]);
            client.GetStream().ReadExactly(new byte[50_000]);
            Thread.Sleep(30);
            client.Close();
            Assert.Equal(0, accepted.GetStream().Read(new byte[1]));
        }
        DrainUntil(() => Closes(local.Port).Count == 2);
        var after = BootClock.NowNs;

        var connect = Sink.Of<NetworkConnectRecord>(RecordClass.NetworkConnect).Single(item => item.Endpoint.LocalPort == local.Port);
        AssertEndpoint(connect.Endpoint, local, server, family);
        Assert.Equal(1, connect.State);
        Assert.InRange(connect.Header.TimeNs, before, after);
        Assert.InRange(connect.LatencyNs, 1ul, 1_000_000_000ul);
        Assert.Equal(RecordFlags.None, connect.Header.Flags);

        var accept = Sink.Of<NetworkAcceptRecord>(RecordClass.NetworkAccept).Single(item => item.Endpoint.RemotePort == local.Port);
        AssertEndpoint(accept.Endpoint, server, local, family);
        Assert.NotEqual(0ul, accept.Endpoint.SocketCookie);
        Assert.NotEqual(connect.Endpoint.SocketCookie, accept.Endpoint.SocketCookie);

        var closedClient = Closes(local.Port).Single(item => item.Endpoint.LocalPort == local.Port);
        AssertEndpoint(closedClient.Endpoint, local, server, family);
        Assert.Equal(connect.Endpoint.SocketCookie, closedClient.Endpoint.SocketCookie);
        Assert.Equal(1234ul, closedClient.BytesSent);
        Assert.Equal(50_000ul, closedClient.BytesReceived);
        Assert.InRange(closedClient.DurationNs, 30_000_000ul, after - before);

        var closedServer = Closes(local.Port).Single(item => item.Endpoint.RemotePort == local.Port);
        Assert.Equal(accept.Endpoint.SocketCookie, closedServer.Endpoint.SocketCookie);
        Assert.Equal(50_000ul, closedServer.BytesSent);
        Assert.Equal(1234ul, closedServer.BytesReceived);
    }

    [Fact]
    public void IPv4_on_a_dual_socket_is_IPv4()
    {
        using var listener = new TcpListener(IPAddress.IPv6Any, 0);
        listener.Server.DualMode = true;
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        using var client = new TcpClient(AddressFamily.InterNetworkV6);
        client.Client.DualMode = true;
        client.Connect(IPAddress.Parse("127.0.0.1"), port);
        using var accepted = listener.AcceptTcpClient();
        DrainUntil(() => Connects(port).Any() && Accepts(port).Any());
        var connect = Connects(port).Single();
        Assert.Equal(2, connect.Endpoint.Family);
        Assert.Equal(IPAddress.Parse("::ffff:127.0.0.1"), new IPAddress(connect.Endpoint.RemoteAddress));
        Assert.Equal(2, Accepts(port).Single().Endpoint.Family);
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public void Refused_connect_is_a_failed_one(string address)
    {
        var port = FreePort(IPAddress.Parse(address));
        using var client = new TcpClient(IPAddress.Parse(address).AddressFamily);
        Assert.Throws<SocketException>(() => client.Connect(IPAddress.Parse(address), port));
        DrainUntil(() => Connects(port).Any());
        var record = Connects(port).Single();
        Assert.Equal(0, record.State);
        Assert.Equal((uint)Environment.ProcessId, record.Endpoint.Pid);
        Assert.NotEqual(0, record.Endpoint.LocalPort);
        Assert.Equal(IPAddress.Parse(address).MapToIPv6(), new IPAddress(record.Endpoint.RemoteAddress));
        Assert.InRange(record.LatencyNs, 1ul, 1_000_000_000ul);
        Settle();
        Assert.DoesNotContain(Sink.Of<NetworkCloseRecord>(RecordClass.NetworkClose), close => close.Endpoint.RemotePort == port);
    }

    [Fact]
    public void Abandoned_connect_is_a_failed_one()
    {
        // TEST-NET-1 (RFC 5737) answers nobody; without a route there is no SYN and no event at all.
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
        var error = Assert.Throws<SocketException>(() => client.Connect(IPAddress.Parse("192.0.2.1"), 4321));
        if (error.SocketErrorCode is SocketError.NetworkUnreachable)
        {
            Settle();
            Assert.Empty(Connects(4321));
            return;
        }
        client.Close();
        DrainUntil(() => Connects(4321).Any());
        Assert.Equal(0, Connects(4321).Single().State);
    }

    [Fact]
    public void Connect_of_another_process_has_its_identity()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var pid = Run("/bin/bash", "-c", $"exec 3<>/dev/tcp/127.0.0.1/{port}");
        DrainUntil(() => Connects(port).Any());
        var record = Connects(port).Single();
        Assert.Equal((uint)pid, record.Endpoint.Pid);
        Assert.Equal("bash", CollectingSink.Text(record.Endpoint.Comm));
    }

    [Fact]
    public void A_listener_that_stops_is_no_close()
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();
        Settle();
        Assert.DoesNotContain(Sink.Of<NetworkCloseRecord>(RecordClass.NetworkClose), close => close.Endpoint.LocalPort == port);
    }

    private static int FreePort(IPAddress address)
    {
        var listener = new TcpListener(address, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();
        return port;
    }

    private static void AssertEndpoint(in NetworkEndpoint endpoint, IPEndPoint local, IPEndPoint remote, byte family)
    {
        Assert.Equal((uint)Environment.ProcessId, endpoint.Pid);
        Assert.Equal(0u, endpoint.Uid);
        Assert.NotEqual("", CollectingSink.Text(endpoint.Comm));
        Assert.Equal(File.ReadAllText("/proc/self/comm").TrimEnd(), CollectingSink.Text(endpoint.Comm));
        Assert.Equal(CgroupFileSystem.IdOf(CgroupFileSystem.DirectoryOf(Environment.ProcessId)!), endpoint.CgroupId);
        Assert.Equal(local.Address.MapToIPv6(), new IPAddress(endpoint.LocalAddress));
        Assert.Equal(remote.Address.MapToIPv6(), new IPAddress(endpoint.RemoteAddress));
        Assert.Equal(local.Port, endpoint.LocalPort);
        Assert.Equal(remote.Port, endpoint.RemotePort);
        Assert.Equal(family, endpoint.Family);
    }

    private List<NetworkConnectRecord> Connects(int port) =>
        Sink.Of<NetworkConnectRecord>(RecordClass.NetworkConnect).Where(item => item.Endpoint.RemotePort == port).ToList();

    private List<NetworkAcceptRecord> Accepts(int port) =>
        Sink.Of<NetworkAcceptRecord>(RecordClass.NetworkAccept).Where(item => item.Endpoint.LocalPort == port).ToList();

    private List<NetworkCloseRecord> Closes(int clientPort) => Sink.Of<NetworkCloseRecord>(RecordClass.NetworkClose)
        .Where(item => item.Endpoint.LocalPort == clientPort || item.Endpoint.RemotePort == clientPort).ToList();
}
