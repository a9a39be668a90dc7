using Microsoft.Extensions.Logging;
using Streams.Worker.Admission;
using Streams.Worker.Commit;

namespace Streams.Worker;

/// <summary>Every line the worker logs; event ids 3000-3099. A line that an operator must act on begins with "system alert".</summary>
internal static partial class LogMessages
{
    [LoggerMessage(3001, LogLevel.Warning, "partition {Partition}: message {Sequence} has no readable subject or headers; dropped")]
    public static partial void MessageMalformed(this ILogger logger, int partition, ulong sequence);

    [LoggerMessage(3002, LogLevel.Warning, "lane {Lane}: expected batch {Expected}, got {First}; the agent is asked to go back")]
    public static partial void LaneRewound(this ILogger logger, LaneKey lane, uint expected, uint first);

    // 3003 is retired: what held a lane is a system alert.
    [LoggerMessage(3006, LogLevel.Error, "system alert {Kind}: {Subject}: {Detail}")]
    public static partial void SystemAlert(this ILogger logger, string kind, string subject, string detail);

    [LoggerMessage(3004, LogLevel.Warning, "lane {Lane}: message {Sequence} has {Bytes} bytes behind the batches it promised; ignored")]
    public static partial void MessageTrailing(this ILogger logger, LaneKey lane, ulong sequence, int bytes);

    [LoggerMessage(3005, LogLevel.Warning, "lane {Lane}: a message has {Found} of the {Promised} batches it promised")]
    public static partial void MessageShort(this ILogger logger, LaneKey lane, uint found, uint promised);

    // 3007 is retired: rows that wait are 4114 of the queue.
    [LoggerMessage(3010, LogLevel.Warning, "insert of {Batches} batches into {Table} is in doubt (attempt {Attempt}, {Verdict}): {Detail}")]
    public static partial void InsertInDoubt(
        this ILogger logger, string table, int batches, int attempt, InsertVerdict verdict, string detail);

    [LoggerMessage(3011, LogLevel.Warning, "cannot read back {Batches} batches of {Table}: {Reason}")]
    public static partial void ReadBackFailed(this ILogger logger, string table, int batches, string reason);

    [LoggerMessage(3012, LogLevel.Error, "system alert: a round of inserts failed")]
    public static partial void RoundFailed(this ILogger logger, Exception error);

    [LoggerMessage(3020, LogLevel.Information, "partition {Partition}: owned by {Owner}")]
    public static partial void PartitionOwned(this ILogger logger, int partition, string owner);

    [LoggerMessage(3021, LogLevel.Information,
        "partition {Partition}: recovered {Lanes} lanes, {Stored} batches stored without their ledger rows, reading from {Sequence}")]
    public static partial void PartitionRecovered(this ILogger logger, int partition, int lanes, int stored, ulong sequence);

    [LoggerMessage(3022, LogLevel.Warning, "partition {Partition}: offset record not usable ({Reason}); reading the stream from its start")]
    public static partial void OffsetDiscarded(this ILogger logger, int partition, string reason);

    [LoggerMessage(3023, LogLevel.Error, "system alert: partition {Partition}: pipeline ended ({Reason}); recovery in {RetryAfter}")]
    public static partial void PipelineEnded(this ILogger logger, int partition, string reason, TimeSpan retryAfter);

    [LoggerMessage(3024, LogLevel.Error, "system alert: partition {Partition}: {Batches} batches were not returned to their pool")]
    public static partial void BatchesLeaked(this ILogger logger, int partition, int batches);

    [LoggerMessage(3025, LogLevel.Warning, "partition {Partition}: cannot trim the queue: {Reason}")]
    public static partial void TrimFailed(this ILogger logger, int partition, string reason);

    [LoggerMessage(3026, LogLevel.Warning, "partition {Partition}: cannot publish watermarks: {Reason}")]
    public static partial void FlowFailed(this ILogger logger, int partition, string reason);

    [LoggerMessage(3027, LogLevel.Information, "partition {Partition}: waiting for the lease that {Owner} holds")]
    public static partial void LeaseAwaited(this ILogger logger, int partition, string owner);

    [LoggerMessage(3028, LogLevel.Warning, "partition {Partition}: the lease store does not answer: {Reason}")]
    public static partial void LeaseUnreachable(this ILogger logger, int partition, string reason);

    [LoggerMessage(3029, LogLevel.Warning, "partition {Partition}: the drain took too long; the lease is left to run out")]
    public static partial void LeaseKept(this ILogger logger, int partition);

    [LoggerMessage(3030, LogLevel.Information, "worker {Owner} started: {Partitions} partitions, database {Database}")]
    public static partial void WorkerStarted(this ILogger logger, string owner, int partitions, string database);

    [LoggerMessage(3031, LogLevel.Information, "worker {Owner} drained and stopped")]
    public static partial void WorkerStopped(this ILogger logger, string owner);

    [LoggerMessage(3032, LogLevel.Warning, "the ledger could not be settled, it is tried again: {Reason}")]
    public static partial void LedgerNotSettled(this ILogger logger, string reason);

    [LoggerMessage(3033, LogLevel.Warning, "parts could not be read, it is tried again: {Reason}")]
    public static partial void PartsNotRead(this ILogger logger, string reason);

    [LoggerMessage(3034, LogLevel.Warning, "table {Table} was detached and is attached again")]
    public static partial void TableAttached(this ILogger logger, string table);
}
