using System.Runtime.InteropServices;
using LibbpfSharp.Probes;
using Streams.Agent.Configuration;
using Streams.Agent.Logging;
using Streams.Agent.Modules.Comm;
using Streams.Agent.Modules.Core.Commands;
using Streams.Agent.Modules.Core.Identity;
using Streams.Agent.Modules.Observability;
using Streams.Agent.Modules.Telemetry;
using Streams.Agent.Processes;
using Streams.Agent.Status;
using Streams.Wire.Messages;

namespace Streams.Agent.Modules.Core;

/// <summary>
/// The Core module: puts the others together, starts them, looks after them until SIGTERM or SIGINT, and stops them in the reverse order, so
/// that the last barrier is written while the connection still carries it.
/// </summary>
internal sealed class AgentHost : IDisposable
{
    /// <summary>For all modules together. systemd kills after 90 s, `streams up` after 15.</summary>
    private static readonly TimeSpan StopDeadline = TimeSpan.FromSeconds(8);

    private readonly AgentLog _log;
    private readonly StateDirectory _state;
    private readonly SemaphoreSlim _wake = new(0);
    private readonly ThreadRegistry _threads = new();
    private readonly RegistryChannel _registry;
    private readonly CommModule _comm;
    private readonly ObservabilityModule? _observability;
    private readonly ModuleManager _manager;
    private readonly StatusReport _report;
    private readonly HostPulse _pulse = new();
    private readonly ModuleLoad _load;
    private readonly CommandControl _control;
    private readonly List<ModuleStatus> _heartbeatModules = [];
    private volatile bool _stop;

    private AgentHost(AgentConfiguration configuration)
    {
        _log = AgentLog.ToStandardError(configuration.LogLevel);
        var clock = TimeProvider.System;
        var costs = new ModuleCosts(_threads);
        _load = new ModuleLoad(costs, clock);
        _state = StateDirectory.Open(configuration.Resolve(configuration.StateDirectory));
        var pinned = new PinnedStatements(_state.Path, AgentIdentityFile.Roots(configuration));
        _registry = new RegistryChannel(
            configuration.AgentId, new AgentKeyFiles(configuration.Resolve(configuration.KeyFile)), pinned, _log, clock);
        _comm = new CommModule(configuration, _registry, _state.Path, Heartbeat, _log);
        var modules = new List<IAgentModule> { _comm };
        if (configuration.TelemetryEnabled)
            modules.Add(new TelemetryModule(configuration, _comm, _comm.Epoch, _threads, costs, CopyStatus, clock));
        if (configuration.ObservabilityEnabled)
        {
            var owner = SensorOwner.Read(_state.Path, _registry.Identity.PublicKey);
            modules.Add(_observability = new ObservabilityModule(configuration, owner, _state.Path, _comm, _threads, _log, clock));
        }

        _manager = new ModuleManager(modules, ModuleDeclarations.InStartOrder, _log, clock, AgentProcess.ResidentBytes, () => _wake.Release());
        _report = new StatusReport(configuration, _comm, modules, CopyStatus, clock);
        _control = ControlChannel.Open(configuration.AgentId, _registry, _state.Path, _report.Write, _comm, _log, clock);
    }

    /// <summary>Runs the agent until it is asked to stop.</summary>
    /// <returns>0.</returns>
    /// <exception cref="AgentException">It cannot start.</exception>
    public static int Run(AgentConfiguration configuration)
    {
        using var host = new AgentHost(configuration);
        using var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, host.OnSignal);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, host.OnSignal);
        host.Run();
        return 0;
    }

    public void Dispose()
    {
        _control.Dispose();
        _comm.Dispose();
        _registry.Dispose();
        _state.Dispose();
        _wake.Dispose();
    }

    private void Run()
    {
        _log.Info(AgentEvent.Started, ModuleName.Core, $"streams-agent {AgentVersion.Text} starts, epoch {_comm.Epoch}");
        _manager.StartAll(StopDeadline);
        using (new StatusServer(StatusSocket.PathIn(_state.Path), _threads, _log, _report.Write))
        {
            // Start-up garbage is most of what the agent ever allocates: collect it once and give the pages back.
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            KernelProbe.TrimNativeHeap();
            while (!_stop)
            {
                _manager.Poll();
                _wake.Wait(_manager.NextRestartIn ?? Timeout.InfiniteTimeSpan);
            }

            _log.Info(AgentEvent.Stopping, ModuleName.Core, "stopping");
        }

        _manager.StopAll(StopDeadline);
        _log.Info(AgentEvent.Stopped, ModuleName.Core, "stopped");
    }

    private void OnSignal(PosixSignalContext context)
    {
        context.Cancel = true;
        _stop = true;
        _wake.Release();
    }

    private void CopyStatus(List<ModuleStatus> target) => _manager.CopyStatus(target);

    private HeartbeatMessage Heartbeat()
    {
        _pulse.Read();
        _load.Read();
        _manager.CopyStatus(_heartbeatModules);
        var modules = new ModuleReport[_heartbeatModules.Count];
        for (var i = 0; i < modules.Length; i++)
        {
            var module = _heartbeatModules[i];
            modules[i] = new ModuleReport(
                module.Name, WireState(module), (uint)(module.StartRssBytes / 1024), _load.TakePermille(module.Name), (ushort)Math.Min(module.Restarts, ushort.MaxValue));
        }

        return new HeartbeatMessage
        {
            LoadHundredths = (ushort)Math.Min(_pulse.Load * 100, ushort.MaxValue),
            CpuPermille = (ushort)(_pulse.CpuPercent * 10),
            MemoryPermille = (ushort)(_pulse.MemoryPercent * 10),
            Modules = modules,
            Ledger = _observability?.LedgerReport ?? [],
        };
    }

    private Wire.Messages.ModuleState WireState(in ModuleStatus module) => module.State switch
    {
        // It does not send all that it sees.
        ModuleState.Running when module.Name == ModuleName.Observability && _observability is { IsShedding: true }
            => Wire.Messages.ModuleState.Degraded,
        ModuleState.Running => Wire.Messages.ModuleState.Running,
        ModuleState.BackingOff => Wire.Messages.ModuleState.Failed,
        ModuleState.WaitingForDependency => Wire.Messages.ModuleState.Degraded,
        _ => Wire.Messages.ModuleState.Stopped,
    };
}
