using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using Streams.AgentLink.Session;
using Streams.Bench.Running;
using Streams.Bench.Wire;

namespace Streams.Bench.Watching;

/// <summary>
/// Rows of alert priority beside the load, from their cause to the first sight of them: two agents take turns with a session, and the gateway says so in <c>agent_session</c>
/// with the time at which it began or ended. The same producer, lane and haste as those of <c>system_alert</c>, and something that a bench can cause.
/// </summary>
internal sealed class AlertProbe : IAsyncDisposable
{
    /// <summary>Identities that it needs.</summary>
    public const int Agents = 2;

    private static readonly TimeSpan Turn = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Round = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Last = TimeSpan.FromSeconds(30);

    private readonly EngineClient _engine;
    private readonly Swarm _swarm;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _turns;
    private readonly CancellationTokenSource _stopLooking = new();
    private readonly Task _looking;
    private long _caused;

    public AlertProbe(EngineClient engine, Swarm swarm)
    {
        _engine = engine;
        _swarm = swarm;
        _turns = Task.Run(TakeTurnsAsync);
        _looking = Task.Run(LookAsync);
    }

    public LatencyHistogram Latency { get; } = new();

    /// <summary>Ends the sessions and waits for the last row.</summary>
    /// <exception cref="BenchFailure">A session did not begin, a query failed, or a row did not come.</exception>
    public async Task EndAsync()
    {
        await _stop.CancelAsync();
        await _turns;
        var clock = Stopwatch.StartNew();
        while (Latency.Count < Interlocked.Read(ref _caused))
        {
            if (clock.Elapsed > Last)
            {
                throw new BenchFailure($"of {_caused} rows of agent_session {Latency.Count} came within {Last.TotalSeconds} s");
            }

            await Task.WhenAny(_looking, Task.Delay(Round));
            if (_looking.IsFaulted)
            {
                break;
            }
        }

        await _stopLooking.CancelAsync();
        await _looking;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _stopLooking.CancelAsync();
        await Task.WhenAll(_turns, _looking).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
        _stopLooking.Dispose();
    }

    private async Task TakeTurnsAsync()
    {
        for (var turn = 0; !_stop.IsCancellationRequested; turn++)
        {
            try
            {
                using var session = await RawAgent.ConnectAsync(_swarm, turn % Agents, CancellationToken.None);
                Interlocked.Add(ref _caused, 2); // its begin and its end
                await Task.Delay(Turn, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (Exception error) when (error is LinkEndedException or SocketException or IOException)
            {
                throw new BenchFailure($"a session beside the load did not begin: {error.Message}");
            }
        }
    }

    private async Task LookAsync()
    {
        var seen = 0L;
        while (!_stopLooking.IsCancellationRequested)
        {
            var rows = await _engine.QueryAsync(
                $"SELECT seq, toUnixTimestamp64Micro(time) FROM agent_session WHERE seq > {seen} AND startsWith(agent, '{Swarm.Prefix}-') ORDER BY seq", CancellationToken.None);
            var now = (DateTime.UtcNow - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
            foreach (var row in rows)
            {
                seen = long.Parse(row[0], CultureInfo.InvariantCulture);
                Latency.Record(now - long.Parse(row[1], CultureInfo.InvariantCulture));
            }

            await Task.Delay(Round, _stopLooking.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
