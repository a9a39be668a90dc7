using BenchmarkDotNet.Attributes;

namespace Streams.Microbench.Stages;

/// <summary>A batch of 200 rows through the worker's Akka graph and through the loop by hand; the difference is what the stages cost.</summary>
public class WorkerStages
{
    private const int Messages = 3000;

    private GraphSystem _system = null!;
    private WorkerRun _run = null!;

    [GlobalSetup]
    public void Open()
    {
        _system = new GraphSystem();
        _run = new WorkerRun(Messages, StageRatio.RowsPerBatch);
    }

    [GlobalCleanup]
    public void Close()
    {
        _run.Dispose();
        _system.Dispose();
    }

    [Benchmark(OperationsPerInvoke = Messages)]
    public Task Graph() => _run.GraphAsync(_system.Materializer);

    [Benchmark(OperationsPerInvoke = Messages, Baseline = true)]
    public Task Loop() => _run.LoopAsync();
}
