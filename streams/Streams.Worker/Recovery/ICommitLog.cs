namespace Streams.Worker.Recovery;

/// <summary>The read side of the tables, as recovery needs it.</summary>
internal interface ICommitLog
{
    /// <summary>
    /// Ends what an earlier owner still has running and reads back ledger and tables. Throws when ClickHouse does not answer: the
    /// partition then waits and tries again.
    /// </summary>
    /// <param name="partition">Only agents of this partition are read.</param>
    /// <param name="previousOwner">Whose inserts to kill; empty for everybody's but this process's.</param>
    Task<RecoveredPartition> ReadAsync(int partition, string previousOwner, CancellationToken cancel);
}
