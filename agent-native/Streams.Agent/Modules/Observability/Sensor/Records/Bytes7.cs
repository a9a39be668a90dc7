using System.Runtime.CompilerServices;

namespace Streams.Agent.Modules.Observability.Sensor.Records;

/// <summary>7 bytes in place.</summary>
[InlineArray(7)]
public struct Bytes7
{
    private byte _first;
}
