using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Streams.Bench.Demo;

/// <summary>
/// What the demo does on the machine: short processes whose second argument says which they are, and connections each to an address of its own
/// in 127.77.0.0/16. Both run outside the cgroups of `streams up`.
/// </summary>
internal sealed class MarkedWorkload(string run)
{
    private const int ProcessesAtOnce = 8;

    /// <summary>The second argument of process <paramref name="index"/>.</summary>
    public string Marker(int index) => $"streams-demo-{run}-{index}";

    /// <summary>What every marker of this run begins with.</summary>
    public string MarkerPrefix => $"streams-demo-{run}-";

    /// <summary>The address of connection <paramref name="index"/>: 127.77.1.1 and up, 200 to a third octet.</summary>
    public static IPAddress Address(int index) => new([127, 77, (byte)(1 + (index / 200)), (byte)(1 + (index % 200))]);

    public Task RunProcessesAsync(int count, CancellationToken stop) => Parallel.ForAsync(
        0, count, new ParallelOptions { MaxDegreeOfParallelism = ProcessesAtOnce, CancellationToken = stop },
        async (index, cancel) =>
        {
            using var process = Process.Start(new ProcessStartInfo("/bin/true", [Marker(index)]))!;
            await process.WaitForExitAsync(cancel);
        });

    /// <summary>Connects, sends one byte each way and closes. Returns the port that all connections went to.</summary>
    public static async Task<int> RunConnectionsAsync(int count, CancellationToken stop)
    {
        var port = 0;
        for (var index = 0; index < count; index++)
        {
            // One listener at a time, all on the port that the first was given: other addresses, so never in each other's way.
            using var listener = new TcpListener(Address(index), port);
            listener.Start();
            port = ((IPEndPoint)listener.LocalEndpoint).Port;
            using var client = new TcpClient();
            var accepted = listener.AcceptTcpClientAsync(stop);
            await client.ConnectAsync(Address(index), port, stop);
            using var server = await accepted;
            await client.GetStream().WriteAsync(new byte[] { 1 }, stop);
            await server.GetStream().ReadExactlyAsync(new byte[1], stop);
            await server.GetStream().WriteAsync(new byte[] { 2 }, stop);
            await client.GetStream().ReadExactlyAsync(new byte[1], stop);
        }
        return port;
    }
}
