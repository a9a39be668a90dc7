using System.Diagnostics;

namespace Streams.Bench.Chaos.Running;

/// <summary>Reads once a second how many rows are committed, and keeps the highest rate.</summary>
internal sealed class CommitRates(Recovery recovery)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    /// <summary>Rows per second.</summary>
    public double Highest { get; private set; }

    public async Task RunAsync(CancellationToken stop)
    {
        var clock = Stopwatch.StartNew();
        (TimeSpan Time, long Rows)? before = null;
        while (!stop.IsCancellationRequested)
        {
            if (await recovery.RowsAsync(stop) is { } rows)
            {
                var now = clock.Elapsed;
                if (before is { } last)
                {
                    Highest = Math.Max(Highest, (rows - last.Rows) / (now - last.Time).TotalSeconds);
                }

                before = (now, rows);
            }

            await Task.Delay(Interval, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
