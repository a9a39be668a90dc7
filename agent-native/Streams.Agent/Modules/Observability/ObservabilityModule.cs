using System.Text.Json;
using LibbpfSharp;
using LibbpfSharp.Probes;
using Streams.Agent.Configuration;
using Streams.Agent.Logging;
using Streams.Agent.Modules.Comm;
using Streams.Agent.Modules.Core;
using Streams.Agent.Modules.Observability.Batching;
using Streams.Agent.Modules.Observability.Sensor;
using Streams.Agent.Modules.Observability.Sensor.Records;
using Streams.Agent.Processes;
using Streams.Agent.Status;
using Streams.Wire.Messages;

namespace Streams.Agent.Modules.Observability;

/// <summary>The kernel probes: loads and attaches them, runs the reader thread, takes them away again.</summary>
/// <param name="owner">First 16 bytes of the agent's public key, see <see cref="SensorOptions.Owner"/>.</param>
internal sealed class ObservabilityModule(
    AgentConfiguration configuration,
    ReadOnlyMemory<byte> owner,
    string stateDirectory,
    IBatchSink sink,
    ThreadRegistry threads,
    AgentLog log,
    TimeProvider clock) : IAgentModule, IStatusSource
{
    /// <summary>Kept from the stop deadline for taking the programs out of the kernel.</summary>
    private static readonly TimeSpan UnloadTime = TimeSpan.FromMilliseconds(500);

    /// <summary>What accounting for an instance of another layout waits for room at the start.</summary>
    private static readonly TimeSpan SettleTime = TimeSpan.FromSeconds(2);

    private SensorSession? _session;
    private Thread? _thread;

    public string Name => ModuleName.Observability;

    /// <summary>The last barrier's sums, for the heartbeat.</summary>
    public IReadOnlyList<LedgerReport> LedgerReport => _session?.Barriers.Report ?? [];

    /// <summary>True while some classes are counted instead of sent.</summary>
    public bool IsShedding => _session is { ShedLevel: > 0 };

    public void Start(Action<string> failed)
    {
        Require();
        SensorInstance? instance = null;
        try
        {
            instance = SensorInstance.Start(new SensorOptions
            {
                // Agents with different ids may run side by side on one host.
                Name = configuration.AgentId,
                Owner = owner,
                RingBytes = configuration.RingBytes,
                // One wake-up for many records; a lone record waits for the reader's next look instead (at most 200 ms).
                WakeupBytes = (uint)configuration.RingBytes / 32,
                RuntimeDirectory = stateDirectory,
            }, Settle);
            if (instance.RemovedEpoch is { } removed)
                log.Warn(AgentEvent.SensorRemoved, Name,
                    $"removed the sensor instance {removed}, which is of another layout or another agent's key, or incomplete; a new one begins");
            Exclude(instance);
            _session = new SensorSession(configuration, instance, sink, log, clock);
            instance.Attach();
        }
        catch (Exception e) when (e is BpfException or SensorException)
        {
            _session = null;
            if (instance is { IsTakenOver: true })
                instance.Leave();
            else
                instance?.Dispose();
            throw new AgentException($"the kernel probes cannot be loaded: {e.Message.Split('\n')[0].TrimEnd('.')}; run `streams-agent doctor`", e);
        }

        KernelProbe.TrimNativeHeap();
        var origin = instance.IsTakenOver ? " of an agent that did not end cleanly" : "";
        log.Info(AgentEvent.SensorLoaded, Name, $"probes attached, sensor epoch {_session.Epoch}{origin}, pinned in {instance.PinPath}");
        _thread = ModuleThread.Start(Name, "observability", threads, _session.Run, failed);
    }

    public void Stop(TimeSpan deadline)
    {
        if (_session is not { } session)
            return;
        session.Stop(deadline > UnloadTime ? deadline - UnloadTime : TimeSpan.Zero);
        var ended = _thread is null || _thread.Join(deadline + UnloadTime);
        _thread = null;
        _session = null;
        // A reader that still runs uses the mapped ring: then the instance is left as by a killed agent, and the next one takes it over.
        if (ended)
            session.Dispose();
        else
            log.Error(AgentEvent.StopDeadline, Name, "the reader did not end before the deadline");
    }

    public void WriteStatus(Utf8JsonWriter writer)
    {
        if (_session is not { } session)
            return;
        writer.WriteStartObject("sensor");
        writer.WriteString("epoch", session.Epoch.ToString());
        writer.WriteNumber("ring_bytes", session.Reader.RingBytes);
        writer.WriteNumber("ring_pending_bytes", session.Reader.PendingBytes);
        writer.WriteNumber("records", session.Reader.Records);
        writer.WriteNumber("late", session.Reader.Late);
        writer.WriteNumber("malformed", session.Reader.Malformed);
        writer.WriteNumber("reread", session.Reader.Reread);
        writer.WriteNumber("agent_restart", session.Reader.Restarted);
        writer.WriteNumber("shed_level", session.ShedLevel);
        writer.WriteNumber("pressure_percent", (int)(session.Pressure * 100));
        writer.WriteNumber("barriers", session.Barriers.Sent);
        writer.WriteNumber("pauses", session.Pauses);
        writer.WriteBoolean("paused", session.IsPaused);
        writer.WriteEndObject();
        writer.WriteStartArray("classes");
        foreach (var batch in session.Batches.All)
        {
            writer.WriteStartObject();
            writer.WriteString("class", batch.Builder.Class.Name);
            writer.WriteNumber("rows", batch.Rows);
            writer.WriteNumber("lost", batch.Lost);
            writer.WriteNumber("batches", batch.Batches);
            foreach (var report in session.Barriers.Report)
            {
                if (report.ClassId != batch.Builder.Class.Id)
                    continue;
                writer.WriteNumber("stamped", report.Stamped);
                writer.WriteNumber("filtered", report.Filtered);
                writer.WriteNumber("missed", report.Missed);
            }

            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    // Cheap answers before libbpf's long ones.
    private static void Require()
    {
        if (!KernelProbe.HasKernelBtf)
            throw new AgentException("this kernel has no BTF (/sys/kernel/btf/vmlinux); boot one with CONFIG_DEBUG_INFO_BTF=y, see `streams-agent doctor`");
        if (Capabilities.Read() is not { Bpf: true, Perfmon: true })
            throw new AgentException("the kernel probes need CAP_BPF and CAP_PERFMON; run as root, see `streams-agent doctor`");
    }

    // An instance of another layout: its numbers are accounted for under its own epoch, its records are lost.
    private void Settle(ForeignInstance foreign)
    {
        SpooledPositions.Merge(sink, foreign.Epoch, foreign.Positions);
        using var batches = new EventBatches(configuration, sink, foreign.Epoch, foreign.Stamped.Cpus, _ => { }, foreign.Positions);
        using var barriers = new BarrierWriter(sink, foreign.Epoch, foreign.Positions, clock);
        batches.GiveUpAt(Environment.TickCount64 + (long)SettleTime.TotalMilliseconds);
        ulong restart = 0;
        foreach (var range in foreign.Unaccounted())
        {
            batches.AddLost(range);
            restart += range.Restart;
        }

        batches.SendAll();
        var balanced = !batches.HasGivenUp && barriers.Write(foreign.Stamped, [], stop: true);
        log.Warn(AgentEvent.SensorSettled, Name,
            $"the sensor instance {foreign.Epoch} has layout {foreign.Layout}, this agent {InstanceIdentity.CurrentLayout}: "
            + $"{restart} numbers are counted as agent_restart{(balanced ? "" : ", but there was no room to say so")}");
    }

    private void Exclude(SensorInstance instance)
    {
        if (CgroupFileSystem.DirectoryOf(Environment.ProcessId) is { } own)
        {
            instance.ExcludeCgroup(CgroupFileSystem.IdOf(own));
            log.Debug(AgentEvent.CgroupExcluded, Name, $"network events of the agent's own cgroup {own} are filtered");
        }

        var mount = CgroupFileSystem.FindMount();
        foreach (var text in configuration.ExcludeCgroups)
        {
            if (CgroupReference.Resolve(text, mount) is { } id)
                instance.ExcludeCgroup(id);
            else
                log.Warn(AgentEvent.CgroupUnknown, Name, $"there is no cgroup {text}: its network events are not filtered");
        }
    }
}
