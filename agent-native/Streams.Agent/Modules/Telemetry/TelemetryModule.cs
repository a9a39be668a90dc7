using Streams.Agent.Configuration;
using Streams.Agent.Modules.Comm;
using Streams.Agent.Modules.Core;
using Streams.Agent.Processes;
using Streams.Schema;

namespace Streams.Agent.Modules.Telemetry;

/// <summary>Samples the host and the modules at a fixed interval, the first time at once. Data of other modules does not pass through it (ADR 0007).</summary>
internal sealed class TelemetryModule(
    AgentConfiguration configuration,
    IBatchSink sink,
    Epoch epoch,
    ThreadRegistry threads,
    ModuleCosts costs,
    Action<List<ModuleStatus>> copyStatus,
    TimeProvider clock) : IAgentModule
{
    private readonly ManualResetEventSlim _stop = new();
    private Thread? _thread;
    private long _samples;
    private long _skipped;

    // They outlive a restart of the module: a class's sequence must not start again within the process epoch.
    private Producers? _producers;

    public string Name => ModuleName.Telemetry;

    /// <summary>Samples taken.</summary>
    public long Samples => Volatile.Read(ref _samples);

    /// <summary>Samples not taken because the link had no room.</summary>
    public long Skipped => Volatile.Read(ref _skipped);

    public void Start(Action<string> failed)
    {
        _producers ??= new Producers(sink, epoch, clock);
        _stop.Reset();
        _thread = ModuleThread.Start(Name, "telemetry", threads, Run, failed);
    }

    public void Stop(TimeSpan deadline)
    {
        _stop.Set();
        _thread?.Join(deadline);
        _thread = null;
    }

    private void Run()
    {
        using var host = new HostSampler();
        var hostRows = new MetricWriter(_producers!.Host);
        var moduleRows = new ModuleMetricWriter(_producers.Module, costs, copyStatus);
        var interval = TimeSpan.FromSeconds(configuration.TelemetryIntervalSeconds);
        do
        {
            // A sample that cannot be sent is worth nothing later; what is not stamped is no loss.
            if (!sink.HasRoom)
            {
                Interlocked.Increment(ref _skipped);
                continue;
            }

            host.Sample(hostRows);
            moduleRows.Write();
            _producers.Host.TryFlush();
            _producers.Module.TryFlush();
            Interlocked.Increment(ref _samples);
        }
        while (!_stop.Wait(interval));
    }

    private sealed class Producers(IBatchSink sink, Epoch epoch, TimeProvider clock)
    {
        public UserSpaceProducer Host => field ??= new UserSpaceProducer(MetricClasses.Host, sink, epoch, clock);

        public UserSpaceProducer Module => field ??= new UserSpaceProducer(MetricClasses.Module, sink, epoch, clock);
    }
}
