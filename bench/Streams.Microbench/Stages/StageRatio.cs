using System.Diagnostics;

namespace Streams.Microbench.Stages;

/// <summary>
/// Rows a second through a real graph beside the loop by hand, in turns of one and the other, so that what else the machine does meets both. The turn that an eighth of
/// them beat is compared: others only ever make a turn slower.
/// </summary>
internal sealed record StageRatio
{
    /// <summary>Of a batch, one batch a message and a frame.</summary>
    public const int RowsPerBatch = 200;

    private const int Batches = 4096;

    /// <summary>Frames under way in the gateway: a session's credit of 4 MB.</summary>
    private const int Window = 512;

    public required double WorkerGraphRowsPerSecond { get; init; }

    public required double WorkerLoopRowsPerSecond { get; init; }

    public required double GatewayGraphRowsPerSecond { get; init; }

    public required double GatewayLoopRowsPerSecond { get; init; }

    /// <summary>Mean bytes of a batch decoded, stored, and of a sealed frame.</summary>
    public required long BatchDecodedBytes { get; init; }

    public required long BatchStoredBytes { get; init; }

    public required long FrameBytes { get; init; }

    public static async Task<StageRatio> MeasureAsync(int turns)
    {
        using var system = new GraphSystem();
        using var worker = new WorkerRun(Batches, RowsPerBatch);
        var (workerGraph, workerLoop) = await AlternateAsync(turns, () => worker.GraphAsync(system.Materializer), worker.LoopAsync, static () => { });
        await using var gateway = new GatewayRun(system.Materializer, Batches, RowsPerBatch, Window);
        await gateway.StartAsync();
        var (gatewayGraph, gatewayLoop) = await AlternateAsync(turns, gateway.GraphAsync, gateway.LoopAsync, gateway.Prepare);
        return new StageRatio
        {
            WorkerGraphRowsPerSecond = Math.Round(worker.Rows / workerGraph),
            WorkerLoopRowsPerSecond = Math.Round(worker.Rows / workerLoop),
            GatewayGraphRowsPerSecond = Math.Round(gateway.Rows / gatewayGraph),
            GatewayLoopRowsPerSecond = Math.Round(gateway.Rows / gatewayLoop),
            BatchDecodedBytes = worker.DecodedBytes,
            BatchStoredBytes = worker.StoredBytes,
            FrameBytes = gateway.FrameBytes,
        };
    }

    /// <returns>Seconds of each.</returns>
    private static async Task<(double Graph, double Loop)> AlternateAsync(int turns, Func<Task> graph, Func<Task> loop, Action prepare)
    {
        var graphs = new double[turns];
        var loops = new double[turns];
        // The first turn of each warms up.
        for (var turn = -1; turn < turns; turn++)
        {
            var graphFirst = turn % 2 == 0;
            var first = await SecondsAsync(graphFirst ? graph : loop, prepare);
            var second = await SecondsAsync(graphFirst ? loop : graph, prepare);
            if (turn >= 0)
            {
                (graphs[turn], loops[turn]) = graphFirst ? (first, second) : (second, first);
            }
        }

        Array.Sort(graphs);
        Array.Sort(loops);
        return (graphs[turns / 8], loops[turns / 8]);
    }

    private static async Task<double> SecondsAsync(Func<Task> run, Action prepare)
    {
        prepare();
        GC.Collect();
        var clock = Stopwatch.StartNew();
        await run();
        return clock.Elapsed.TotalSeconds;
    }
}
