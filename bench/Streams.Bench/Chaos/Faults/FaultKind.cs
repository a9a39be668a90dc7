namespace Streams.Bench.Chaos.Faults;

/// <summary>What can happen to a running system. The order is part of what a seed means: append only.</summary>
internal enum FaultKind
{
    KillSource,
    PauseSource,
    KillServe,
    PauseServe,
    RestartServe,
    KillNats,
    PauseNats,
    RestartNats,
    KillClickHouse,
    PauseClickHouse,
    RestartClickHouse,

    /// <summary>ClickHouse runs for 100 ms of every 400.</summary>
    SlowClickHouse,

    /// <summary>Connections between sources and gateway are closed and no new ones are let through.</summary>
    CutNetwork,

    /// <summary>Connections stay open and carry nothing.</summary>
    HoldNetwork,

    Clock1970,
    Clock2106,

    /// <summary>The newest block of every ingest stream loses its end while the queue is down.</summary>
    TailLoss,

    /// <summary>Ingest streams and the bucket of offsets are gone when the queue comes back; sessions live on.</summary>
    Wipe,

    /// <summary>Not a byte is left on the disk of the servers.</summary>
    DiskFull,

    /// <summary>The first gateway stops with publishes in flight, its agents go to the second, then it goes on.</summary>
    SwitchGateway,

    /// <summary>The gateway, which is a process without a worker.</summary>
    KillGateway,

    /// <summary>The worker, which is a process without a gateway.</summary>
    KillWorker,
    PauseWorker,
    RestartWorker,

    /// <summary>Ended in order, as by its package's update, and started again.</summary>
    RestartSource,
}
