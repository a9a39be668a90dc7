namespace Streams.Stages;

/// <summary>One end of a supervised graph that nobody asked for.</summary>
/// <param name="Name">Name of the graph.</param>
/// <param name="Failure">Why; null when it completed by itself, which for a graph without end is a failure too.</param>
/// <param name="Failures">How many there were since the supervisor started, this one included.</param>
/// <param name="RetryAfter">When the next attempt begins.</param>
public sealed record GraphEnd(string Name, Exception? Failure, long Failures, TimeSpan RetryAfter);
