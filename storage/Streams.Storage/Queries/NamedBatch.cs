namespace Streams.Storage;

/// <summary>A batch that a table holds, found by its name.</summary>
/// <param name="Epoch">First 8 bytes, as the column holds it.</param>
/// <param name="Batch">Number in its lane.</param>
/// <param name="Rows">Rows found.</param>
/// <param name="DistinctRows">Different row numbers: fewer than <paramref name="Rows"/> means doubled.</param>
public readonly record struct NamedBatch(string AgentId, ulong Epoch, uint Lane, uint Batch, ulong Rows, ulong DistinctRows);
