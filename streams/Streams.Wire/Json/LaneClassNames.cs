namespace Streams.Wire.Json;

/// <summary>The lane classes as JSON documents name them, by number.</summary>
internal static class LaneClassNames
{
    internal static readonly string[] All = ["control", "response", "alert", "event", "metric", "bulk"];
}
