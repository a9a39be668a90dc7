using Akka.Streams;
using Microsoft.Extensions.Logging;
using Streams.Queue;
using Streams.Worker.Commit;
using Streams.Worker.Merge;
using Streams.Worker.Ranges;
using Streams.Worker.Recovery;

namespace Streams.Worker;

/// <summary>What all partitions of the process use together.</summary>
internal sealed record PartitionShared(
    WorkerOptions Options,
    QueueConnection Queue,
    TopologyOptions Topology,
    LeaseStore Leases,
    OffsetStore Offsets,
    ICommitLog CommitLog,
    Inserter Inserter,
    LingerClock Clock,
    RangeLimits Limits,
    IMaterializer Materializer,
    DeadLetterQuota Quota,
    ISystemAlerts Alerts,
    WorkerMetrics Metrics,
    ILogger Logger);
