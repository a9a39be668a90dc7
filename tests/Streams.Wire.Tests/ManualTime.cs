namespace Streams.Wire.Tests;

/// <summary>A clock that moves when told to.</summary>
internal sealed class ManualTime : TimeProvider
{
    private long _ticks = 1;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => _ticks;

    internal void Advance(double seconds) => _ticks += (long)(seconds * TimeSpan.TicksPerSecond);
}
