namespace Streams.Agent.Modules.Observability.Sensor.Records;

/// <summary>Layout of a mirror as the C# compiler made it, to be compared with BTF.</summary>
/// <param name="Name">Name of the struct in events.h.</param>
/// <param name="Size">Bytes.</param>
/// <param name="Fields">All fields in order, except a flexible array at the end.</param>
public sealed record MirrorLayout(string Name, int Size, MirrorField[] Fields);

/// <summary>A field of a mirror: name in events.h, offset and size in bytes.</summary>
public readonly record struct MirrorField(string Name, int Offset, int Size);
