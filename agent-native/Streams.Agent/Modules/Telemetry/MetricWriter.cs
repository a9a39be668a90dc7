using Streams.Agent.Modules.Comm;
using Streams.Schema;

namespace Streams.Agent.Modules.Telemetry;

/// <summary>Writes samples as host_metric rows.</summary>
internal sealed class MetricWriter(UserSpaceProducer producer) : IMetricSink
{
    private static readonly int NameOrdinal = MetricClasses.Host.OrdinalOf("name");
    private static readonly int DeviceOrdinal = MetricClasses.Host.OrdinalOf("device");
    private static readonly int ValueOrdinal = MetricClasses.Host.OrdinalOf("value");
    private static readonly int UnitOrdinal = MetricClasses.Host.OrdinalOf("unit");

    /// <summary>Samples that were not written because the link had no room.</summary>
    public ulong Skipped { get; private set; }

    public void Add(ReadOnlySpan<byte> name, ReadOnlySpan<byte> device, double value, ReadOnlySpan<byte> unit)
    {
        if (!producer.TryBeginRow(name.Length + device.Length + unit.Length))
        {
            Skipped++;
            return;
        }

        var row = producer.Builder;
        row.TrySetDictionary(NameOrdinal, name);
        row.TrySetDictionary(DeviceOrdinal, device);
        row.SetFloat64(ValueOrdinal, value);
        row.TrySetDictionary(UnitOrdinal, unit);
        producer.EndRow();
    }
}
