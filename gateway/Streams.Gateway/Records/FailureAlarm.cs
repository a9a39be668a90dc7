namespace Streams.Gateway.Records;

/// <summary>
/// Whether more was refused in the last minute than is usual. Raised above the threshold and over below half of it, so that what goes up
/// and down around it is one alert.
/// </summary>
/// <param name="threshold">Refusals a minute.</param>
/// <param name="windows">Intervals of a minute.</param>
internal sealed class FailureAlarm(int threshold, int windows)
{
    private readonly long[] _counts = new long[windows];
    private int _next;

    public bool IsRaised { get; private set; }

    /// <summary>Refusals in the last minute.</summary>
    public long Total { get; private set; }

    /// <summary>Takes the count of one more interval; true when that raised the alarm or ended it.</summary>
    public bool Look(long count)
    {
        Total += count - _counts[_next];
        _counts[_next] = count;
        _next = (_next + 1) % windows;
        var raised = IsRaised ? Total >= (threshold + 1) / 2 : Total > threshold;
        var changed = raised != IsRaised;
        IsRaised = raised;
        return changed;
    }
}
