using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Streams.AgentLink.Session;
using Streams.Bench.Load;
using Streams.Schema;
using Streams.Wire;
using Streams.Wire.Frames;

namespace Streams.Bench.Wire;

/// <summary>
/// Enrolled agents that come, send a batch, wait until it is committed and go; alone, and while ten times as many strangers begin
/// handshakes. A stranger upgrades and sends an M2 of the right form that nobody signed, which is what costs a gateway most.
/// </summary>
internal static class JunkCase
{
    private const int Agents = 64;
    private const int Times = 10;
    private const int Sources = 64;
    private static readonly TimeSpan Phase = TimeSpan.FromSeconds(12);
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(3);

    /// <returns>Goodput (commits a second of enrolled agents) under junk ÷ without; and junk handshakes a second that were begun.</returns>
    public static async Task<(double Ratio, double JunkPerSecond)> RunAsync(Swarm swarm, CancellationToken stop)
    {
        await GoodputAsync(swarm, WarmUp, stop);
        var alone = await GoodputAsync(swarm, Phase, stop);
        var rate = alone * Times;
        var begun = 0;
        using var over = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var junk = Enumerable.Range(0, Sources).Select(source => JunkAsync(swarm.Gateway, source, rate / Sources, () => Interlocked.Increment(ref begun), over.Token)).ToArray();
        await Task.Delay(WarmUp, stop);
        var clock = Stopwatch.StartNew();
        var first = Volatile.Read(ref begun);
        var under = await GoodputAsync(swarm, Phase, stop);
        var perSecond = (Volatile.Read(ref begun) - first) / clock.Elapsed.TotalSeconds;
        await over.CancelAsync();
        await Task.WhenAll(junk);
        return (under / alone, perSecond);
    }

    private static async Task<double> GoodputAsync(Swarm swarm, TimeSpan time, CancellationToken stop)
    {
        using var mix = new EventMix(1, rowsPerBatch: 10);
        var batch = mix.Batches(1)[0];
        var done = 0;
        var clock = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, Agents).Select(async index =>
        {
            await Task.Yield();
            while (clock.Elapsed < time)
            {
                try
                {
                    using var session = await RawAgent.ConnectAsync(swarm, index, stop);
                    await session.SendAsync(Named(batch, swarm, index), LaneClass.Event, stop);
                    await session.ReceiveAsync(FrameType.Watermark, stop);
                    if (clock.Elapsed < time)
                    {
                        Interlocked.Increment(ref done);
                    }
                }
                catch (Exception failure) when (failure is LinkEndedException or SocketException)
                {
                    await Task.Delay((failure as LinkEndedException)?.End.RetryAfter ?? TimeSpan.FromMilliseconds(100), stop);
                }
            }
        }));
        return done / time.TotalSeconds;
    }

    private static async Task JunkAsync(IPEndPoint gateway, int source, double perSecond, Action begun, CancellationToken over)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1 / perSecond));
        var request = Encoding.ASCII.GetBytes(
            $"GET {Protocol.Path} HTTP/1.1\r\nHost: {gateway}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            + $"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: {Protocol.BinarySubprotocol}\r\n\r\n");
        var auth = UnsignedAuth();
        var answer = new byte[4096];
        try
        {
            while (await timer.WaitForNextTickAsync(over))
            {
                // Own addresses, 127.99.x.1: none shares an enrolled agent's.
                using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, LingerState = new LingerOption(true, 0) };
                socket.Bind(new IPEndPoint(new IPAddress([127, 99, (byte)source, 1]), 0));
                try
                {
                    await socket.ConnectAsync(gateway, over);
                    begun();
                    await socket.SendAsync(request, over);
                    await socket.ReceiveAsync(answer, over);
                    await socket.SendAsync(auth, over);
                    // M1, then the refusal or the end.
                    await socket.ReceiveAsync(answer, over);
                }
                catch (SocketException)
                {
                    // Refused: the next one.
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The phase is over.
        }
    }

    /// <summary>M2 in a WebSocket frame with a zero mask (RFC 6455 5.3): fields of the right form, a signature of noise.</summary>
    private static byte[] UnsignedAuth()
    {
        var id = "wire-0"u8;
        var body = new byte[5 + id.Length + 32 + 32 + 32 + 8 + 16 + 16 + 8 + 32 + 64];
        Random.Shared.NextBytes(body);
        (body[0], body[1], body[2], body[3], body[4]) = (2, Protocol.Version, Protocol.Suite, 1, (byte)id.Length);
        id.CopyTo(body.AsSpan(5));
        return [0x82, 0x80 | 126, (byte)(body.Length >> 8), (byte)body.Length, 0, 0, 0, 0, .. body];
    }

    /// <summary>The next epoch's first batch: a session of its own epoch starts its lanes at 0.</summary>
    private static byte[] Named(byte[] template, Swarm swarm, int index)
    {
        var next = swarm.Epochs[index] + (UInt128.One << 64);
        swarm.Epochs[index] = next;
        var epoch = Epoch.FromHalves((ulong)(next >> 64), (ulong)next);
        var batch = template.ToArray();
        BatchHeader.TryRead(batch, out var header, out _);
        (header with { Name = new BatchName(epoch, 0, 0), SensorEpoch = epoch }).Write(batch);
        return batch;
    }
}
