namespace Streams.Storage;

/// <summary>A part (system.parts).</summary>
/// <param name="Rows">More than 0.</param>
/// <param name="IsInsert">An insert made it; otherwise a merge or a mutation did, of others.</param>
public readonly record struct WrittenPart(string Table, string Name, string PartitionId, long FirstBlock, long LastBlock, long Rows, bool IsInsert);
