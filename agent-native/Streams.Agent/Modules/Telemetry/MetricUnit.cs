namespace Streams.Agent.Modules.Telemetry;

/// <summary>The closed list of units.</summary>
internal static class MetricUnit
{
    public static ReadOnlySpan<byte> Count => "count"u8;

    public static ReadOnlySpan<byte> Bytes => "bytes"u8;

    public static ReadOnlySpan<byte> Seconds => "seconds"u8;

    public static ReadOnlySpan<byte> Percent => "percent"u8;
}
