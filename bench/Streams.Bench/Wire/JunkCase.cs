using System.Diagnostics;
using System.Net.Sockets;
using Streams.AgentLink.Session;
using Streams.Bench.Load;
using Streams.Schema;
using Streams.Wire;
using Streams.Wire.Frames;

namespace Streams.Bench.Wire;

/// <summary>
/// Enrolled agents that come, send a batch, wait until it is committed and go: alone; while ten times as many strangers begin handshakes with an M2 that nobody
/// signed, which is what costs a gateway most; and while strangers hold handshakes open and say nothing, of which each source could take all places there are.
/// </summary>
internal static class JunkCase
{
    private const int Agents = 64;
    private const int Times = 10;
    private const int Sources = 64;
    private const int SilentSources = 4;

    /// <summary>A second and source: what the gateway admits of one.</summary>
    private const int SilentRate = 200;

    private static readonly TimeSpan Phase = TimeSpan.FromSeconds(12);
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(3);

    /// <summary>Until as many are held open as ever will be: a handshake's time and more.</summary>
    private static readonly TimeSpan SilentWarmUp = TimeSpan.FromSeconds(6);

    public static async Task<JunkResult> RunAsync(Swarm swarm, CancellationToken stop)
    {
        await GoodputAsync(swarm, WarmUp, stop);
        var alone = await GoodputAsync(swarm, Phase, stop);
        var rate = alone * Times / Sources;
        var (junk, junkPerSecond) = await UnderAsync(swarm, Sources, WarmUp, (source, begun, over) => Strangers.JunkAsync(swarm.Gateway, source, rate, begun, over), stop);
        var (silent, silentPerSecond) = await UnderAsync(
            swarm, SilentSources, SilentWarmUp, (source, begun, over) => Strangers.SilentAsync(swarm.Gateway, source, SilentRate, begun, over), stop);
        return new JunkResult(junk / alone, junkPerSecond, silent / alone, silentPerSecond);
    }

    private static async Task<(double Goodput, double PerSecond)> UnderAsync(
        Swarm swarm, int sources, TimeSpan warmUp, Func<int, Action, CancellationToken, Task> stranger, CancellationToken stop)
    {
        var begun = 0;
        using var over = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var strangers = Enumerable.Range(0, sources).Select(source => stranger(source, () => Interlocked.Increment(ref begun), over.Token)).ToArray();
        await Task.Delay(warmUp, stop);
        var clock = Stopwatch.StartNew();
        var first = Volatile.Read(ref begun);
        var under = await GoodputAsync(swarm, Phase, stop);
        var perSecond = (Volatile.Read(ref begun) - first) / clock.Elapsed.TotalSeconds;
        await over.CancelAsync();
        await Task.WhenAll(strangers);
        return (under, perSecond);
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

/// <summary>What strangers leave of the goodput (commits a second of enrolled agents).</summary>
/// <param name="Ratio">Under junk ÷ alone.</param>
/// <param name="JunkPerSecond">Junk handshakes that were begun.</param>
/// <param name="SilentRatio">Beside silent peers ÷ alone.</param>
/// <param name="SilentPerSecond">Connections of silent peers.</param>
internal sealed record JunkResult(double Ratio, double JunkPerSecond, double SilentRatio, double SilentPerSecond);
