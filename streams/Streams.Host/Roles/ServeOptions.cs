using System.Net;
using Streams.Gateway;
using Streams.Services;
using Streams.Worker;

namespace Streams.Host.Roles;

/// <summary>What one `streams serve` process runs: the roles that have options, which are checked by that role's own validator.</summary>
internal sealed record ServeOptions
{
    public GatewayOptions? Gateway { get; init; }

    public WorkerOptions? Worker { get; init; }

    public ServicesOptions? Services { get; init; }

    /// <summary>Address and port of operator HTTP.</summary>
    public required IPEndPoint OperatorListen { get; init; }

    /// <summary>Operator HTTP speaks TLS with these PEM files, those of the agents' port; null when it is plain.</summary>
    public (string Certificate, string Key)? OperatorTls { get; init; }

    /// <summary>
    /// Directory whose file system is guarded, e.g. that of the queue and of ClickHouse; null when they are on other machines.
    /// </summary>
    public string? GuardDirectory { get; init; }

    /// <summary>Bytes that must stay free there; null for the smaller of 1 GiB and 5 %.</summary>
    public long? DiskFloorBytes { get; init; }

    /// <summary>The longest that a stop may take as a whole: gateway, services, worker and ActorSystem one after the other.</summary>
    public TimeSpan StopLimit { get; init; } = TimeSpan.FromSeconds(30);
}
