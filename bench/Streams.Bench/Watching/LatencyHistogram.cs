using HdrHistogram;

namespace Streams.Bench.Watching;

/// <summary>Latencies in microseconds up to ten minutes, three digits; longer ones count as ten minutes.</summary>
internal sealed class LatencyHistogram
{
    private const long Most = 600_000_000;

    private readonly LongHistogram _histogram = new(1, Most, 3);

    public long Count => _histogram.TotalCount;

    public void Record(long micros, long count = 1) => _histogram.RecordValueWithCount(Math.Clamp(micros, 1, Most), count);

    /// <param name="percent">0 to 100.</param>
    /// <returns>Milliseconds; 0 when nothing was recorded.</returns>
    public double Milliseconds(double percent) => Count == 0 ? 0 : _histogram.GetValueAtPercentile(percent) / 1000.0;
}
