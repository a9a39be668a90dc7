namespace Streams.Stages;

/// <summary>A graph that was materialised, as <see cref="GraphSupervisor"/> sees it.</summary>
/// <param name="Completion">Ends when every stage has stopped, faulted with the reason when one failed.</param>
/// <param name="Drain">Asks the graph to take no more and to finish what it has. Must not block and may be called more than once.</param>
/// <param name="Abort">Asks the graph to stop at once. Must not block, may be called more than once and after <paramref name="Drain"/>.</param>
public sealed record GraphRun(Task Completion, Action Drain, Action Abort);
