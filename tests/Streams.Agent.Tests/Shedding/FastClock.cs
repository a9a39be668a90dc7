namespace Streams.Agent.Tests.Shedding;

/// <summary>The system's clocks, ten times as fast.</summary>
internal sealed class FastClock : TimeProvider
{
    public const int Factor = 10;

    public override long TimestampFrequency => System.TimestampFrequency / Factor;

    public override long GetTimestamp() => System.GetTimestamp();
}
