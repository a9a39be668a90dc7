using System.Runtime.InteropServices;

namespace Streams.Agent.Modules.Observability.Sensor.Records;

/// <summary>
/// Value of the map "positions": two, of which the one with the greater number counts, so that a process that dies in the middle of writing
/// one leaves the other.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = 128)]
public struct PositionPair
{
    [FieldOffset(0)] public Position A;
    [FieldOffset(64)] public Position B;
}
