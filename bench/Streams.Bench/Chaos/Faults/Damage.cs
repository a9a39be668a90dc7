namespace Streams.Bench.Chaos.Faults;

/// <summary>What was done to the queue's files.</summary>
/// <param name="Extent">Bytes cut, or streams deleted.</param>
/// <param name="CommittedUnheard">Rows that were committed after the queue had stopped to listen, so that it never heard of it.</param>
internal sealed record Damage(long Extent, long CommittedUnheard);
