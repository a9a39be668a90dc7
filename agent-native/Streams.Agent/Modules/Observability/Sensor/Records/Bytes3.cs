using System.Runtime.CompilerServices;

namespace Streams.Agent.Modules.Observability.Sensor.Records;

/// <summary>3 bytes in place.</summary>
[InlineArray(3)]
public struct Bytes3
{
    private byte _first;
}
