using System.Diagnostics;
using System.Net.Sockets;
using Streams.AgentLink.Session;
using Streams.Bench.Running;

namespace Streams.Bench.Wire;

/// <summary>What beginning sessions costs the process that serves them.</summary>
internal static class SessionCases
{
    /// <summary>What a CPU second yields is a matter of capacity: with fewer the server falls asleep and is woken for each message, which costs it half as much again.</summary>
    private const int Parallel = 128;
    private const int RoundSessions = 2000;
    private const int MostRounds = 30;
    private const int SteadyRounds = 3;
    private const double Steady = 0.1;
    private static readonly TimeSpan ComeBack = TimeSpan.FromSeconds(60);

    /// <summary>
    /// CPU seconds of the server until a session has begun: TCP, upgrade, handshake, claim, first credit. What its end costs is not in it. Steady: the JIT compiles on its own thread for half a minute
    /// after a start, at first for more CPU than the sessions take, so rounds go by until none is a tenth cheaper than the ones before.
    /// </summary>
    /// <exception cref="BenchFailure">It never became steady.</exception>
    public static async Task<double> HandshakeCpuAsync(Swarm swarm, int server, int count, CancellationToken stop)
    {
        var least = double.MaxValue;
        for (int round = 0, steady = 0; round < MostRounds; round++)
        {
            var each = await MeasureAsync(swarm, server, round * RoundSessions, RoundSessions, stop);
            steady = each < least * (1 - Steady) ? 0 : steady + 1;
            least = Math.Min(least, each);
            if (steady == SteadyRounds)
            {
                return await MeasureAsync(swarm, server, round * RoundSessions, count, stop);
            }
        }

        throw new BenchFailure($"a session became cheaper for {MostRounds * RoundSessions} sessions and still does: the server is not warm");
    }

    private static async Task<double> MeasureAsync(Swarm swarm, int server, int first, int count, CancellationToken stop)
    {
        var sessions = new RawAgent[count];
        try
        {
            var before = ProcessCpu.Seconds(server);
            await System.Threading.Tasks.Parallel.ForAsync(
                0, count, new ParallelOptions { MaxDegreeOfParallelism = Parallel, CancellationToken = stop },
                async (index, cancel) => sessions[index] = await RawAgent.ConnectAsync(swarm, (first + index) % swarm.Identities.Length, cancel));
            return (ProcessCpu.Seconds(server) - before) / count;
        }
        finally
        {
            Array.ForEach(sessions, static session => session?.Dispose());
            await QuietAsync(server, stop);
        }
    }

    /// <summary>Until the sessions before have ended at the server too: it uses less than a twentieth of a core.</summary>
    private static async Task QuietAsync(int server, CancellationToken stop)
    {
        const double Seconds = 0.4;
        for (var before = ProcessCpu.Seconds(server); ;)
        {
            await Task.Delay(TimeSpan.FromSeconds(Seconds), stop);
            var now = ProcessCpu.Seconds(server);
            if (now - before < Seconds / 20)
            {
                return;
            }

            before = now;
        }
    }

    /// <summary>So many agents at the same moment, as after a gateway's restart.</summary>
    /// <returns>CPU seconds of the server for each, seconds until all were back, and how many attempts were refused for now.</returns>
    /// <exception cref="BenchFailure">One of them did not come back.</exception>
    public static async Task<(double CpuEach, double Seconds, int Refused)> ReconnectAsync(Swarm swarm, int server, int count, CancellationToken stop)
    {
        var refused = 0;
        var before = ProcessCpu.Seconds(server);
        var clock = Stopwatch.StartNew();
        var sessions = await Task.WhenAll(Enumerable.Range(0, count).Select(ComeBackAsync));
        var seconds = clock.Elapsed.TotalSeconds;
        var each = (ProcessCpu.Seconds(server) - before) / count;
        Array.ForEach(sessions, static session => session.Dispose());
        return (each, seconds, refused);

        async Task<RawAgent> ComeBackAsync(int index)
        {
            await Task.Yield();
            for (var attempt = 0; ; attempt++)
            {
                try
                {
                    return await RawAgent.ConnectAsync(swarm, index, stop);
                }
                catch (Exception failure) when (failure is LinkEndedException or SocketException && clock.Elapsed < ComeBack)
                {
                    Interlocked.Increment(ref refused);
                    // As PROTOCOL.md has it: uniform in [0, 0.5 s · 2ⁿ], retry_after being a lower bound.
                    var least = (failure as LinkEndedException)?.End.RetryAfter ?? TimeSpan.Zero;
                    await Task.Delay(least + TimeSpan.FromSeconds(Random.Shared.NextDouble() * 0.5 * (1 << Math.Min(attempt, 6))), stop);
                }
                catch (LinkEndedException failure)
                {
                    throw new BenchFailure($"agent {index} did not come back within {ComeBack.TotalSeconds:0} s: {failure.End.Detail}");
                }
            }
        }
    }
}
