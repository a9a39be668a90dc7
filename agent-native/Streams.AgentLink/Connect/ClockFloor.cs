namespace Streams.AgentLink.Connect;

/// <summary>When a host's clock is known to be bad: it shows a time before this program can have been built.</summary>
/// <remarks>
/// Hosts without a battery-backed clock start in 1970, or at a firmware's date, and need the network to set it. Not adjtimex: a host without
/// time synchronisation may still be right to the minute, and dates are then worth checking.
/// </remarks>
public static class ClockFloor
{
    /// <summary>11 November 2025, the release of the .NET 10 runtime that is compiled in. Raise it with the runtime.</summary>
    public static DateTimeOffset Default { get; } = new(2025, 11, 11, 0, 0, 0, TimeSpan.Zero);

    /// <summary>True when certificate dates can be checked against <paramref name="now"/>.</summary>
    public static bool Trusts(DateTimeOffset now, DateTimeOffset floor) => now >= floor;
}
