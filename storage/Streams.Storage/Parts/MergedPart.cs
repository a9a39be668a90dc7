namespace Streams.Storage;

/// <summary>A part that a merge made (system.parts).</summary>
/// <param name="Rows">More than 0.</param>
public readonly record struct MergedPart(string Table, string Name, string PartitionId, long FirstBlock, long LastBlock, long Rows);
