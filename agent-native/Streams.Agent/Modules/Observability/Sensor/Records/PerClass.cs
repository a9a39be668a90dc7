using System.Runtime.CompilerServices;

namespace Streams.Agent.Modules.Observability.Sensor.Records;

/// <summary>A number for every class.</summary>
[InlineArray(RecordClass.Slots)]
public struct PerClass
{
    private ulong _first;
}
