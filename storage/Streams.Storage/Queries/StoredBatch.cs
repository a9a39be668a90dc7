namespace Streams.Storage;

/// <summary>A batch as a table holds it.</summary>
/// <param name="Table">Table of the rows.</param>
/// <param name="Batch">Number in its lane.</param>
/// <param name="Rows">Rows found.</param>
/// <param name="DistinctRows">Different row numbers: fewer than <paramref name="Rows"/> means doubled.</param>
public readonly record struct StoredBatch(string Table, uint Batch, ulong Rows, ulong DistinctRows);
