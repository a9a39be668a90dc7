using System.Runtime.CompilerServices;

namespace Streams.Agent.Modules.Observability.Sensor.Records;

/// <summary>16 bytes in place.</summary>
[InlineArray(16)]
public struct Bytes16
{
    private byte _first;
}
