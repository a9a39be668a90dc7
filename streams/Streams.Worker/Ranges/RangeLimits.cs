namespace Streams.Worker.Ranges;

/// <summary>When a range is full.</summary>
/// <param name="Rows">Rows; a range may exceed it by one batch (65,536 rows).</param>
/// <param name="DecodedBytes">Bytes of decoded bodies; a range may exceed it by one batch (4 MiB).</param>
internal readonly record struct RangeLimits(int Rows, long DecodedBytes);
