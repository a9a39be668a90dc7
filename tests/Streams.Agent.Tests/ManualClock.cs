namespace Streams.Agent.Tests;

/// <summary>A clock that the test moves. The wall clock can be set without time passing, as an operator or NTP does.</summary>
internal sealed class ManualClock : TimeProvider
{
    private DateTimeOffset _wall = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private TimeSpan _passed;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public void Pass(TimeSpan time)
    {
        _wall += time;
        _passed += time;
    }

    public void SetWall(DateTimeOffset wall) => _wall = wall;

    public override DateTimeOffset GetUtcNow() => _wall;

    public override long GetTimestamp() => _passed.Ticks;
}
