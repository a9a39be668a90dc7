namespace Streams.Bench.Chaos.Faults;

/// <summary>A fault that was made and healed.</summary>
/// <param name="Began">UTC.</param>
/// <param name="Healed">UTC.</param>
/// <param name="Recovery">Until rows of after it were committed; null = not within the deadline.</param>
/// <param name="Damage">What it did to the queue's files; null when that was not its purpose.</param>
/// <param name="InFlight">Messages that a gateway had published without an answer when it was stopped; null when that was not its purpose.</param>
internal sealed record Happened(Fault Fault, DateTime Began, DateTime Healed, TimeSpan? Recovery, Damage? Damage, long? InFlight);
