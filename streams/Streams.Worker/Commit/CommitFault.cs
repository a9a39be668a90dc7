namespace Streams.Worker.Commit;

/// <summary>A range was not committed; its partition must go through recovery. The batches may or may not be in their tables.</summary>
public sealed class CommitFault(int partition, string reason) : Exception($"partition {partition}: {reason}");
