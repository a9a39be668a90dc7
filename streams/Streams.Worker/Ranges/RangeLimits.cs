namespace Streams.Worker.Ranges;

/// <summary>When a range is full.</summary>
/// <param name="Rows">Rows; a range may exceed it by one batch (65,536 rows).</param>
/// <param name="Bytes">Bytes by <see cref="Decode.StagedBatch.Bytes"/>; a range may exceed it by one batch (below 5 MiB).</param>
internal readonly record struct RangeLimits(int Rows, long Bytes);
