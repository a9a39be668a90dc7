using Streams.Gateway;
using Streams.Worker;

namespace Streams.Host.Roles;

/// <summary>What one `streams serve` process runs. Each role's options are checked by that role's own validator.</summary>
internal sealed record ServeOptions
{
    public required GatewayOptions Gateway { get; init; }

    public required WorkerOptions Worker { get; init; }
}
