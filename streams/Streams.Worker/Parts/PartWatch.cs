using Microsoft.Extensions.Logging;
using Streams.Storage;

namespace Streams.Worker.Parts;

/// <summary>
/// Reads each part once, soon after its insert or merge, and has a table loaded anew of which one cannot be read, while the engine still keeps what a merge was made of (docs/adr/0018). Raises
/// <c>part_unreadable</c> with the rows that are back and those that are not. Every worker does so, whoever has the leases: on the full disk that leaves such parts the leases' store is silent too.
/// Beside the event path: when it fails, it says so and tries again.
/// </summary>
internal sealed class PartWatch : IAsyncDisposable
{
    /// <summary>A worker that starts looks as far back; the sources of what is older are gone.</summary>
    private static readonly TimeSpan Span = TimeSpan.FromMinutes(15);

    private readonly WrittenParts _parts;
    private readonly TimeSpan _interval;
    private readonly ISystemAlerts _alerts;
    private readonly WorkerMetrics _metrics;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;
    // Each of these holds parts of the last answer, so WrittenParts.MaxParts at most. Read, and good.
    private readonly HashSet<WrittenPart> _seen = [];
    // Unreadable, and told so; true when their table was loaded anew and that did not help, so that it is not again.
    private readonly Dictionary<WrittenPart, bool> _told = [];
    // Their table was loaded anew, or is missing: what came of it is to be told. By why they could not be read.
    private readonly Dictionary<WrittenPart, string> _pending = [];

    private PartWatch(WrittenParts parts, TimeSpan interval, ISystemAlerts alerts, WorkerMetrics metrics, ILogger logger)
    {
        _parts = parts;
        _interval = interval;
        _alerts = alerts;
        _metrics = metrics;
        _logger = logger;
        _running = RunAsync();
    }

    public static PartWatch Start(WrittenParts parts, TimeSpan interval, ISystemAlerts alerts, WorkerMetrics metrics, ILogger logger) =>
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
            await TryAsync(AttachAsync).ConfigureAwait(false);
            await TryAsync(() => TellAsync(isReloaded: false)).ConfigureAwait(false);
            await TryAsync(LookAsync).ConfigureAwait(false);
        }
    }

    /// <summary>What fails is said, and tried again with the next look: one table must not keep the others from theirs.</summary>
    private async Task TryAsync(Func<Task> step)
    {
        try
        {
            await step().ConfigureAwait(false);
        }
        catch (Exception failure) when (!_stop.IsCancellationRequested)
        {
            _metrics.PartFault();
            _logger.PartsNotRead(failure.Message.Split('\n')[0]);
        }
    }

    private async Task AttachAsync()
    {
        foreach (var table in await _parts.AttachMissingAsync(_stop.Token).ConfigureAwait(false))
        {
            _logger.TableAttached(table);
        }
    }

    private async Task LookAsync()
    {
        var parts = await _parts.ListAsync(Span, _stop.Token).ConfigureAwait(false);
        _seen.IntersectWith(parts);
        foreach (var gone in _told.Keys.Except(parts).ToArray())
        {
            _told.Remove(gone);
        }

        foreach (var table in parts.Where(part => !_seen.Contains(part)).GroupBy(static part => part.Table))
        {
            await TryAsync(() => ReadAsync(table.Key, [.. table])).ConfigureAwait(false);
        }
    }

    private async Task ReadAsync(string table, WrittenPart[] parts)
    {
        var unreadable = await _parts.FindUnreadableAsync(parts, _stop.Token).ConfigureAwait(false);
        _metrics.PartsRead(parts.Length, unreadable.Count);
        // Not those: the sources of one may be merged to a part of the same name, which is to be read as well.
        _seen.UnionWith(parts.Except(unreadable.Select(static found => found.Part)));
        var hopeless = unreadable.Select(static found => found.Part).Where(part => _told.GetValueOrDefault(part)).ToHashSet();
        // Again, because another worker may have been here.
        unreadable = await _parts.FindUnreadableAsync(unreadable.Select(static found => found.Part).Where(part => !hopeless.Contains(part)), _stop.Token).ConfigureAwait(false);
        if (unreadable.Count > 0)
        {
            await MendAsync(table, unreadable).ConfigureAwait(false);
        }
    }

    private async Task MendAsync(string table, List<UnreadablePart> unreadable)
    {
        var refused = await _parts.TryReloadAsync(table, _stop.Token).ConfigureAwait(false);
        foreach (var (part, why) in unreadable)
        {
            _pending[part] = why;
            if (refused is not null && _told.TryAdd(part, false))
            {
                Raise(part, $"the table cannot be loaded anew, it is tried again: {refused}", why);
            }
        }

        await TellAsync(isReloaded: refused is null).ConfigureAwait(false);
    }

    /// <param name="isReloaded">Only when it is certain: what is then still unreadable is not tried again.</param>
    private async Task TellAsync(bool isReloaded)
    {
        foreach (var (part, why) in _pending.ToArray())
        {
            var fate = await _parts.FateAsync(part, _stop.Token).ConfigureAwait(false);
            if (!fate.IsThere)
            {
                continue;
            }

            var still = fate.IsActive && (await _parts.FindUnreadableAsync([part], _stop.Token).ConfigureAwait(false)).Count > 0;
            _pending.Remove(part);
            if (!still)
            {
                _told.Remove(part);
                Raise(
                    part,
                    part.IsInsert && fate.Rows == 0
                        ? "it is set aside; whoever inserted it sends its rows again if the disk was found short then, otherwise they are lost"
                        : $"it is set aside, {fate.Rows} rows are back from its sources, {part.Rows - fate.Rows} are lost",
                    why);
            }
            else if (isReloaded && !_told.GetValueOrDefault(part))
            {
                _told[part] = true;
                Raise(part, "it is still there after the table was loaded anew", why);
            }
        }
    }

    private void Raise(in WrittenPart part, string end, string why) =>
        _alerts.Raise("part_unreadable", $"{part.Table}/{part.Name}", $"a part of {part.Rows} rows cannot be read: {end} ({why})");
}
