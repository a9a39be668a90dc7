using Streams.Gateway;
using Streams.Worker;

namespace Streams.Host.Roles;

/// <summary>What one `streams serve` process runs. Each role's options are checked by that role's own validator.</summary>
internal sealed record ServeOptions
{
    public required GatewayOptions Gateway { get; init; }

    public required WorkerOptions Worker { get; init; }

    /// <summary>Operator HTTP speaks TLS, with the certificate of the agents' port.</summary>
    public bool OperatorTls { get; init; }

    /// <summary>
    /// Directory whose file system is guarded, e.g. that of the queue and of ClickHouse; null when they are on other machines.
    /// </summary>
    public string? GuardDirectory { get; init; }

    /// <summary>Bytes that must stay free there; null for the smaller of 1 GiB and 5 %.</summary>
    public long? DiskFloorBytes { get; init; }

    /// <summary>The longest that a stop may take as a whole: gateway, worker and ActorSystem one after the other.</summary>
    public TimeSpan StopLimit { get; init; } = TimeSpan.FromSeconds(30);
}
