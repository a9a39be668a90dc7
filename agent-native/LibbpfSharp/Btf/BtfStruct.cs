namespace LibbpfSharp.Btf;

/// <summary>A struct in BTF.</summary>
/// <param name="Name">C name.</param>
/// <param name="Size">Bytes.</param>
/// <param name="Fields">Members in order; a flexible array at the end has size 0.</param>
public sealed record BtfStruct(string Name, int Size, IReadOnlyList<BtfField> Fields);

/// <summary>A member: name, offset and size in bytes.</summary>
public readonly record struct BtfField(string Name, int Offset, int Size);
