namespace Streams.Agent.Modules.Observability.Shedding;

/// <summary>The process's CPU time as a share of what it may use, over the last second.</summary>
/// <param name="percent">What it may use, in percent of one CPU.</param>
/// <param name="used">CPU time of the process so far.</param>
internal sealed class CpuGauge(int percent, TimeProvider clock, Func<TimeSpan> used)
{
    /// <summary>Shorter spans say more about the scheduler than about the load.</summary>
    private static readonly TimeSpan Span = TimeSpan.FromSeconds(1);

    private long _at = clock.GetTimestamp();
    private TimeSpan _before = used();
    private double _share;

    public double Read()
    {
        var now = clock.GetTimestamp();
        var passed = clock.GetElapsedTime(_at, now);
        if (passed >= Span)
        {
            var total = used();
            _share = (total - _before) / passed * 100 / percent;
            _before = total;
            _at = now;
        }

        return _share;
    }
}
