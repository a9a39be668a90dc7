namespace Streams.Local;

/// <summary>How to run nats-server.</summary>
public sealed record NatsServerOptions
{
    /// <summary>The program, by name or path.</summary>
    public string Program { get; init; } = "nats-server";

    /// <summary>Holds nats.conf, the file-store limit and `jetstream/`.</summary>
    public required string Directory { get; init; }

    /// <summary>The log file.</summary>
    public required string LogPath { get; init; }

    /// <summary>Loopback port.</summary>
    public required int Port { get; init; }

    /// <summary>Number of ingest partitions: permissions name each stream.</summary>
    public int Partitions { get; init; } = 4;

    /// <summary>The share of the free disk that JetStream may fill. A fifth: ClickHouse needs room for the rows and for merging them,
    /// and it is what drains the queue.</summary>
    public double DiskShare { get; init; } = 0.2;

    /// <summary>Upper bound of the file store in bytes. 16 GiB is hours of a large fleet; more hides that the worker does not keep
    /// up.</summary>
    public long MaxFileStore { get; init; } = 16L << 30;

    /// <summary>The unprivileged user to run as; its directory is given to it.</summary>
    public ServiceUser? User { get; init; }

    /// <summary>A cgroup to run in, or null.</summary>
    public string? CgroupDirectory { get; init; }

    /// <summary>Gets each line that it prints; must be quick and must not throw.</summary>
    public Action<string>? OnLine { get; init; }

    /// <summary>How long the start may take: JetStream reads its whole store before it answers.</summary>
    public TimeSpan StartDeadline { get; init; } = TimeSpan.FromSeconds(30);
}
