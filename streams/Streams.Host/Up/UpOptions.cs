using System.Net;

namespace Streams.Host.Up;

/// <summary>What `streams up` was asked for. A port that is null falls back to a free one when its default is taken.</summary>
internal sealed record UpOptions
{
    public required string Data { get; init; }

    /// <summary>Where agents connect; loopback unless an address is given.</summary>
    public IPAddress Listen { get; init; } = IPAddress.Loopback;

    public int? GatewayPort { get; init; }

    public int? OperatorPort { get; init; }

    public int? ClickHousePort { get; init; }

    public int? NatsPort { get; init; }

    /// <summary>Ingest partitions; fixed when the data directory is first used. Two graphs' worth per core of a small machine.</summary>
    public int Partitions { get; init; } = 4;

    /// <summary>Days that rows are kept.</summary>
    public int TtlDays { get; init; } = 30;

    /// <summary>Bytes that must stay free on the data directory's disk; null for the smaller of 1 GiB and 5 %.</summary>
    public long? DiskFloorBytes { get; init; }

    public bool NoAgent { get; init; }

    /// <summary>Agent id; the host name in the characters of an id if null.</summary>
    public string? AgentId { get; init; }

    /// <summary>Print lines instead of a live table, as when the output is no terminal.</summary>
    public bool Plain { get; init; }
}
