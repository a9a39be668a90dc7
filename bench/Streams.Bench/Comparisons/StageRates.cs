namespace Streams.Bench.Comparisons;

/// <summary>What `Streams.Microbench stages` writes.</summary>
internal sealed record StageRates
{
    public required double WorkerGraphRowsPerSecond { get; init; }

    public required double WorkerLoopRowsPerSecond { get; init; }

    public required double GatewayGraphRowsPerSecond { get; init; }

    public required double GatewayLoopRowsPerSecond { get; init; }

    public double WorkerRatio => WorkerGraphRowsPerSecond / WorkerLoopRowsPerSecond;

    public double GatewayRatio => GatewayGraphRowsPerSecond / GatewayLoopRowsPerSecond;
}
