namespace Streams.Storage;

/// <summary>The rows of one batch and CPU as a class table holds them.</summary>
/// <param name="First">Lowest sequence number.</param>
/// <param name="Last">Highest sequence number.</param>
public readonly record struct StoredRows(ushort Cpu, ulong First, ulong Last, ulong Rows);
