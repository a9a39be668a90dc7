using ClickHouse.Driver;
using Microsoft.Extensions.Logging;
using Streams.Storage;

namespace Streams.Worker.Parts;

/// <summary>
/// Reads each merged part once, soon after its merge, and has a table loaded anew of which one cannot be read, while the engine still keeps the part's sources (docs/adr/0018). Raises
/// <c>part_unreadable</c> with the rows that are back and those that are not. Every worker does so, whoever has the leases: on the full disk that leaves such parts the leases' store is silent too.
/// Beside the event path: when it fails, it says so and tries again.
/// </summary>
internal sealed class PartWatch : IAsyncDisposable
{
    /// <summary>A worker that starts looks as far back; the sources of what is older are gone.</summary>
    private static readonly TimeSpan Span = TimeSpan.FromMinutes(15);

    private readonly MergedParts _parts;
    private readonly TimeSpan _interval;
    private readonly ISystemAlerts _alerts;
    private readonly WorkerMetrics _metrics;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;
    // Read, or told; those of the last answer, so MergedParts.MaxParts at most.
    private HashSet<MergedPart> _seen = [];
    // Their table could not be loaded anew, which was told and is tried again.
    private readonly HashSet<MergedPart> _left = [];

    private PartWatch(MergedParts parts, TimeSpan interval, ISystemAlerts alerts, WorkerMetrics metrics, ILogger logger)
    {
        _parts = parts;
        _interval = interval;
        _alerts = alerts;
        _metrics = metrics;
        _logger = logger;
        _running = RunAsync();
    }

    public static PartWatch Start(MergedParts parts, TimeSpan interval, ISystemAlerts alerts, WorkerMetrics metrics, ILogger logger) =>
        new(parts, interval, alerts, metrics, logger);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        using var timer = new PeriodicTimer(_interval);
        while (await timer.WaitForNextTickAsync(_stop.Token).ConfigureAwait(false))
        {
            try
            {
                await LookAsync().ConfigureAwait(false);
            }
            catch (Exception failure) when (!_stop.IsCancellationRequested)
            {
                _metrics.PartFault();
                _logger.PartsNotRead(failure.Message.Split('\n')[0]);
            }
        }
    }

    private async Task LookAsync()
    {
        foreach (var table in await _parts.AttachMissingAsync(_stop.Token).ConfigureAwait(false))
        {
            _logger.TableAttached(table);
        }

        var parts = await _parts.ListAsync(Span, _stop.Token).ConfigureAwait(false);
        var fresh = parts.Where(part => !_seen.Contains(part)).ToArray();
        var unreadable = await _parts.FindUnreadableAsync(fresh, _stop.Token).ConfigureAwait(false);
        _metrics.PartsRead(fresh.Length, unreadable.Count);
        foreach (var table in unreadable.GroupBy(static part => part.Part.Table))
        {
            await MendAsync(table.Key, [.. table]).ConfigureAwait(false);
        }

        _left.IntersectWith(parts);
        _seen = [.. parts.Except(_left)];
    }

    private async Task MendAsync(string table, UnreadablePart[] unreadable)
    {
        var sources = new long[unreadable.Length];
        for (var i = 0; i < unreadable.Length; i++)
        {
            sources[i] = await _parts.CountSourceRowsAsync(unreadable[i].Part, _stop.Token).ConfigureAwait(false);
        }

        string? refused = null;
        try
        {
            // Not with the worker's stop: a table that is detached is to be attached again.
            await _parts.ReloadAsync(table, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is ClickHouseServerException or TimeoutException or HttpRequestException)
        {
            refused = failure.Message.Split('\n')[0];
        }

        var still = refused is null ? await _parts.FindUnreadableAsync(unreadable.Select(static part => part.Part), _stop.Token).ConfigureAwait(false) : [];
        for (var i = 0; i < unreadable.Length; i++)
        {
            var (part, why) = unreadable[i];
            if (refused is null)
            {
                _left.Remove(part);
            }
            else if (!_left.Add(part))
            {
                continue;
            }

            var end = refused is not null ? $"the table cannot be loaded anew, it is tried again: {refused}"
                : still.Any(found => found.Part == part) ? "it is still there after the table was loaded anew"
                : $"it is set aside, {Math.Min(sources[i], part.Rows)} rows are back from its sources, {Math.Max(part.Rows - sources[i], 0)} are lost";
            _alerts.Raise("part_unreadable", $"{table}/{part.Name}", $"a merged part of {part.Rows} rows cannot be read: {end} ({why})");
        }
    }
}
