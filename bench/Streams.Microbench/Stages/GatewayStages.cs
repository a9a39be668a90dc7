using BenchmarkDotNet.Attributes;

namespace Streams.Microbench.Stages;

/// <summary>A frame with a batch of 200 rows through the gateway's Akka graph and through the loop by hand.</summary>
public class GatewayStages
{
    private const int Frames = 2048;

    /// <summary>Buffers that the shared pool keeps: what is allocated is the stages' own.</summary>
    private const int Window = 32;

    private GraphSystem _system = null!;
    private GatewayRun _run = null!;

    [GlobalSetup]
    public void Open()
    {
        _system = new GraphSystem();
        _run = new GatewayRun(_system.Materializer, Frames, StageRatio.RowsPerBatch, Window);
        _run.StartAsync().Wait();
    }

    [IterationSetup]
    public void Prepare() => _run.Prepare();

    [GlobalCleanup]
    public void Close()
    {
        _run.DisposeAsync().AsTask().Wait();
        _system.Dispose();
    }

    [Benchmark(OperationsPerInvoke = Frames)]
    public Task Graph() => _run.GraphAsync();

    [Benchmark(OperationsPerInvoke = Frames, Baseline = true)]
    public Task Loop() => _run.LoopAsync();
}
