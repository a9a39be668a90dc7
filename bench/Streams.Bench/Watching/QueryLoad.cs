using System.Diagnostics;
using Streams.Bench.Running;

namespace Streams.Bench.Watching;

/// <summary>Five queries that people ask of such tables, one after the other while the load runs.</summary>
internal sealed class QueryLoad : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    /// <summary>Ranges are of `received_at`, by which the tables are partitioned and which a user can trust; those of groups are of whole minutes, or of whole steps, which the tables keep
    /// aggregated (docs/adr/0036), and so never of less than was asked.</summary>
    public static readonly IReadOnlyList<(string Name, string Sql)> All =
    [
        ("programs", "SELECT filename, count() AS runs, uniq(uid) AS users FROM process_exec WHERE toStartOfMinute(received_at) >= toStartOfMinute(now() - INTERVAL 5 MINUTE) GROUP BY filename ORDER BY runs DESC LIMIT 10"),
        ("one_agent", "SELECT time, pid, filename, argv FROM process_exec WHERE agent_id = '{agent}' AND received_at > now() - INTERVAL 1 MINUTE ORDER BY time DESC LIMIT 100"),
        ("arguments", "SELECT agent_id, time, argv FROM process_exec WHERE received_at > now() - INTERVAL 1 MINUTE AND position(argv, '--option-42=') > 0 ORDER BY time DESC LIMIT 100"),
        ("peers", "SELECT remote_address, remote_port, count() AS connections, quantile(0.99)(latency_us) AS p99 FROM network_connect WHERE toStartOfMinute(received_at) >= toStartOfMinute(now() - INTERVAL 5 MINUTE) GROUP BY ALL ORDER BY connections DESC LIMIT 10"),
        ("rates", "SELECT toStartOfInterval(received_at, INTERVAL 10 SECOND) AS t, count() AS events, uniq(agent_id) AS agents FROM network_connect WHERE t >= toStartOfInterval(now() - INTERVAL 1 HOUR, INTERVAL 10 SECOND) GROUP BY t ORDER BY t"),
    ];

    private readonly EngineClient _engine;
    private readonly string _agent;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;

    public QueryLoad(EngineClient engine, string agent)
    {
        _engine = engine;
        _agent = agent;
        Times = [.. All.Select(static _ => new LatencyHistogram())];
        _loop = Task.Run(RunAsync);
    }

    /// <summary>One for each of <see cref="All"/>.</summary>
    public IReadOnlyList<LatencyHistogram> Times { get; }

    /// <exception cref="BenchFailure">A query failed.</exception>
    public async Task EndAsync()
    {
        await _stop.CancelAsync();
        await _loop;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        for (var i = 0; !_stop.IsCancellationRequested; i = (i + 1) % All.Count)
        {
            var clock = Stopwatch.StartNew();
            await _engine.TextAsync(All[i].Sql.Replace("{agent}", _agent, StringComparison.Ordinal), "TabSeparated", CancellationToken.None);
            Times[i].Record((long)clock.Elapsed.TotalMicroseconds);
            await Task.Delay(Pause, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
