using LibbpfSharp.Handles;
using Streams.Agent.Modules.Observability.Sensor;

namespace LibbpfSharp.Tests;

/// <summary>The BPF objects of tests/LibbpfSharp.Tests/bpf.</summary>
internal static class TestObjects
{
    public static BpfObject Open(string name) => BpfObject.Open(SensorResources.Read($"bpf/{name}.bpf.o"), name);
}
