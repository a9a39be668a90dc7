using System.Diagnostics.Metrics;
using Streams.Local;

namespace Streams.Host.Roles;

/// <summary>
/// Holds the agents' credit while the disk of the data directory is low: their spools have room, and ClickHouse needs what is left to merge
/// (review 14). Meter <c>Streams.Disk</c>.
/// </summary>
internal sealed partial class DiskWatch : IAsyncDisposable
{
    private const string Reason = "disk";

    // 2 GB/s would have to be written to pass a floor of 1 GiB unseen.
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(0.5);

    private readonly DiskGuard _guard;
    private readonly Action<string?> _hold;
    private readonly Action<string, string, string> _alert;
    private readonly ILogger _logger;
    private readonly Meter _meter = new("Streams.Disk");
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _run;

    /// <param name="hold">Gets the reason to hold credit, and null when there is none any more.</param>
    /// <param name="alert">Gets kind, subject and detail: a person must look.</param>
    public DiskWatch(DiskGuard guard, Action<string?> hold, Action<string, string, string> alert, ILogger logger)
    {
        _guard = guard;
        _hold = hold;
        _alert = alert;
        _logger = logger;
        _meter.CreateObservableGauge("streams.disk.free", () => _guard.Free, "By", "Free bytes of the data directory's file system.");
        _meter.CreateObservableGauge("streams.disk.low", () => _guard.IsLow ? 1 : 0, null,
            "1 while credit is held because the disk is low.");
        _meter.CreateObservableCounter("streams.disk.alarms", () => _guard.Alarms, null, "How often the disk became low.");
        _run = RunAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _run;
        _meter.Dispose();
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                var changed = _guard.Look();
                // Said at each look, so that one that failed is made good by the next.
                _hold(_guard.IsLow ? Reason : null);
                if (changed)
                {
                    if (_guard.IsLow)
                    {
                        Low(_logger, _guard.Free >> 20);
                        _alert("disk_low", Environment.MachineName,
                            $"{_guard.Free >> 20} MiB are free: no credit is given until there is room");
                    }
                    else
                    {
                        Enough(_logger, _guard.Free >> 20);
                    }
                }
            }
            catch (Exception failure)
            {
                // Whatever it was: a guard that has ended would hold credit, or give it, for ever.
                NotKnown(_logger, failure.Message);
            }
            await Task.Delay(Interval, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    [LoggerMessage(8000, LogLevel.Error, "The disk is low, {Free} MiB are free: no credit is given until there is room; sessions live on")]
    private static partial void Low(ILogger logger, long free);

    [LoggerMessage(8001, LogLevel.Information, "The disk has {Free} MiB free: credit is given again")]
    private static partial void Enough(ILogger logger, long free);

    [LoggerMessage(8002, LogLevel.Warning, "The free space of the disk is not known: {Why}")]
    private static partial void NotKnown(ILogger logger, string why);
}
