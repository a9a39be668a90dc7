using System.Diagnostics;
using LibbpfSharp;
using LibbpfSharp.Probes;
using Streams.Agent.Configuration;
using Streams.Agent.Logging;
using Streams.Agent.Modules.Observability;
using Streams.Agent.Modules.Observability.Sensor;
using Streams.Agent.Processes;
using Streams.Agent.Tests.Batching;
using Streams.Testing;

namespace Streams.Agent.Tests.Observability;

/// <summary>The observability module over the real kernel and a fake link, under a name of the test's own.</summary>
internal sealed class RunningSensor : IDisposable
{
    private readonly TempDirectory _directory = new("sensor");
    private readonly MemoryStream _log = new();

    public RunningSensor(string name, TimeProvider clock)
    {
        Name = $"{name}-{Environment.ProcessId}";
        var configuration = new AgentConfiguration { AgentId = Name, BarrierSeconds = 1, RingBytes = 1 << 20, CpuPercent = 6400 };
        var log = new AgentLog(_log, AgentLogLevel.Info, TimeProvider.System);
        Module = new ObservabilityModule(configuration, new byte[16], _directory.Path, Sink, new ThreadRegistry(), log, clock);
    }

    public static bool IsSupported => KernelProbe.CanAttach(AttachPoint.BtfTracepoint, "sched_process_exec").Supported;

    public string Name { get; }

    public FakeSink Sink { get; } = new();

    public ObservabilityModule Module { get; }

    public string Pins => Path.Combine(BpfFileSystem.DefaultPath, "streams", Name);

    public string Said => System.Text.Encoding.UTF8.GetString(_log.ToArray());

    /// <summary>What was sent of a class, of all instances or of one.</summary>
    public SensorLedger Ledger(string name, Streams.Schema.Epoch? epoch = null) => SensorLedger.Of(Sink, name, epoch);

    public void Start() => Module.Start(reason => Assert.Fail(reason));

    /// <summary>As an agent that is killed leaves it: programs attached, some of them run, nothing handed on.</summary>
    public SensorInstance LeaveBehind(int programs, byte owner = 0)
    {
        var instance = SensorInstance.Start(new SensorOptions
        {
            Name = Name,
            RingBytes = 1 << 20,
            RuntimeDirectory = _directory.Path,
            Owner = Enumerable.Repeat(owner, SensorOptions.OwnerBytes).ToArray(),
        });
        instance.Attach();
        RunTrue(programs);
        instance.Leave();
        return instance;
    }

    public static void RunTrue(int times)
    {
        for (var i = 0; i < times; i++)
        {
            using var process = Process.Start("/bin/true");
            process.WaitForExit();
        }
    }

    public void Dispose()
    {
        if (Directory.Exists(Pins))
            Directory.Delete(Pins, recursive: true);
        Sink.Dispose();
        _log.Dispose();
        _directory.Dispose();
    }
}
