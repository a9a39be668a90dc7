using System.Text;
using Streams.Agent.Modules.Telemetry;

namespace Streams.Agent.Tests.Procfs;

internal sealed class CollectingSink : IMetricSink
{
    public Dictionary<(string Name, string Device), (double Value, string Unit)> Samples { get; } = [];

    public double this[string name, string device = ""] => Samples[(name, device)].Value;

    public void Add(ReadOnlySpan<byte> name, ReadOnlySpan<byte> device, double value, ReadOnlySpan<byte> unit) =>
        Samples.Add((Encoding.UTF8.GetString(name), Encoding.UTF8.GetString(device)), (value, Encoding.UTF8.GetString(unit)));
}
