using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Streams.Storage;

namespace Streams.Worker.Ledger;

/// <summary>
/// Settles the ledger again and again and raises <c>ledger_unbalanced</c> and <c>ledger_hole</c>, once per finding. Beside the event path: when it fails, it says so and tries again, and rows
/// are stored all the same.
/// </summary>
internal sealed class LedgerWatch : IAsyncDisposable
{
    /// <summary>What the first round, and one in an hour, looks at: a hole of a week is settled when it has filled.</summary>
    private static readonly TimeSpan LongLook = TimeSpan.FromDays(7);

    private static readonly TimeSpan LongLookEvery = TimeSpan.FromHours(1);

    /// <summary>What the other rounds look at. A day partition is the smallest thing that can be left out.</summary>
    private static readonly TimeSpan Look = TimeSpan.FromDays(2);

    /// <summary>How often a balanced sequence is kept.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(10);

    /// <summary>A hole that is as old is told: a backlog of a full spool has long drained by then.</summary>
    private static readonly TimeSpan HoleAge = TimeSpan.FromDays(1);

    private readonly LedgerSettler _settler;
    private readonly TimeSpan _interval;
    private readonly Func<bool> _mine;
    private readonly ISystemAlerts _alerts;
    private readonly WorkerMetrics _metrics;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    // Told already; as many as the longest answer, of which the next one is a part or a change.
    private HashSet<LedgerHole> _holes = [];
    private readonly Task _running;

    private LedgerWatch(LedgerSettler settler, TimeSpan interval, Func<bool> mine, ISystemAlerts alerts, WorkerMetrics metrics, ILogger logger)
    {
        _settler = settler;
        _interval = interval;
        _mine = mine;
        _alerts = alerts;
        _metrics = metrics;
        _logger = logger;
        _running = RunAsync();
    }

    /// <param name="mine">Whether this process is the one that settles. Two that do so find the same.</param>
    public static LedgerWatch Start(LedgerSettler settler, TimeSpan interval, Func<bool> mine, ISystemAlerts alerts, WorkerMetrics metrics, ILogger logger) =>
        new(settler, interval, mine, alerts, metrics, logger);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        long? looked = null;
        using var timer = new PeriodicTimer(_interval);
        while (await timer.WaitForNextTickAsync(_stop.Token).ConfigureAwait(false))
        {
            if (!_mine())
            {
                looked = null;
                continue;
            }

            try
            {
                var isLong = looked is not { } last || Stopwatch.GetElapsedTime(last) >= LongLookEvery;
                await _settler.SettleAsync(DateTimeOffset.UtcNow - (isLong ? LongLook : Look), Pause, Found, _stop.Token).ConfigureAwait(false);
                if (isLong)
                {
                    await TellHolesAsync().ConfigureAwait(false);
                    looked = Stopwatch.GetTimestamp();
                }
            }
            catch (Exception failure) when (!_stop.IsCancellationRequested)
            {
                // ClickHouse is away or busy: the barriers are still there in the next round.
                _metrics.LedgerFault();
                _logger.LedgerNotSettled(failure.Message.Split('\n')[0]);
            }
        }
    }

    private async Task TellHolesAsync()
    {
        var now = DateTimeOffset.UtcNow;
        var holes = await _settler.FindHolesAsync(now - LongLook, now - HoleAge, _stop.Token).ConfigureAwait(false);
        foreach (var hole in holes.Where(hole => !_holes.Contains(hole)))
        {
            _alerts.Raise("ledger_hole", $"{hole.AgentId}/{hole.Class}/cpu{hole.Cpu}", $"sensor {hole.SensorEpoch:x16}, {hole.Describe()}");
        }

        _holes = [.. holes];
    }

    private void Found(SettledBalance finding) =>
        _alerts.Raise("ledger_unbalanced", $"{finding.AgentId}/{finding.Class}/cpu{finding.Cpu}", $"sensor {finding.SensorEpoch:x16}, {finding.Describe()}");
}
