namespace Streams.Agent.Modules.Telemetry;

/// <summary>Takes samples as they are read. All text is UTF-8 and only valid during the call.</summary>
internal interface IMetricSink
{
    /// <param name="name">Dotted name of the metric.</param>
    /// <param name="device">Device or interface, empty for the whole host.</param>
    /// <param name="value">The sample.</param>
    /// <param name="unit">Unit of the sample.</param>
    void Add(ReadOnlySpan<byte> name, ReadOnlySpan<byte> device, double value, ReadOnlySpan<byte> unit);
}
