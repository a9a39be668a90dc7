using System.Text.Json;
using Streams.Agent.Configuration;
using Streams.Agent.Logging;
using Streams.Agent.Modules.Core;
using Streams.Agent.Modules.Core.Identity;
using Streams.Agent.Status;
using Streams.AgentLink;
using Streams.AgentLink.Connect;
using Streams.AgentLink.Spool;
using Streams.Schema;
using Streams.Wire;
using Streams.Wire.Messages;

namespace Streams.Agent.Modules.Comm;

/// <summary>
/// The one connection to the gateway. The link, with its epoch and what it keeps, lives as long as the process; starting and stopping the
/// module only starts and stops the sessions, so that a restart loses nothing.
/// </summary>
internal sealed class CommModule : IAgentModule, IBatchSink, IStatusSource, IDisposable
{
    /// <summary>Kept from the stop deadline for closing the session after the last batch is committed or given up.</summary>
    private static readonly TimeSpan CloseTime = TimeSpan.FromSeconds(1);

    /// <summary>A gateway that is not there when the agent stops gets this long to come back.</summary>
    private static readonly TimeSpan AbsentGatewayTime = TimeSpan.FromSeconds(2);

    /// <summary>Within it the sensor has asked what a killed agent left; it starts beside the link, which may have sent all of it by
    /// then.</summary>
    private static readonly TimeSpan SensorStartTime = TimeSpan.FromMinutes(2);

    private readonly AgentLink.AgentLink _link;
    private readonly AgentLog _log;
    private readonly RegistryChannel _registry;
    private CancellationTokenSource? _stop;
    private Task? _run;

    public CommModule(
        AgentConfiguration configuration, RegistryChannel registry, string stateDirectory, Func<HeartbeatMessage> heartbeat, AgentLog log)
    {
        _log = log;
        var counter = new ConnectCounterFile(Path.Combine(stateDirectory, "connect.counter"));
        _registry = registry;
        var options = LinkSettings.Of(configuration, registry.Pinned.Roots) with
        {
            RetentionBytes = configuration.RetentionBytes,
            SpoolDirectory = SpoolFolder(stateDirectory),
            Proofs = true,
            SpoolBytes = (long)configuration.SpoolMebibytes << 20,
            KeepLeftFor = configuration.ObservabilityEnabled ? SensorStartTime : TimeSpan.Zero,
        };
        try
        {
            _link = new AgentLink.AgentLink(options, registry.Identity, new AgentLinkHooks
            {
                NextConnectCounter = counter.Next,
                Heartbeat = () =>
                {
                    registry.Look();
                    return heartbeat();
                },
                Identity = () => registry.Identity,
                Roots = () => registry.Pinned.Roots,
                Revoked = () => registry.Pinned.Revoked,
                OnRevocations = registry.Take,
                OnEvent = OnEvent,
                OnMessage = OnMessage,
            });
        }
        catch (SpoolException e)
        {
            throw new AgentException(e.Message);
        }

        registry.Send = _link.TrySend;
        registry.Renew = _link.Renew;
        registry.Gateway = () => _link.Gateway;
        if (_link.Status is { Lanes: > 0 } left)
            log.Info(AgentEvent.LinkState, Name,
                $"the spool has {left.RetainedBytes} bytes in {left.Lanes} lanes of earlier processes to send");
    }

    /// <summary>Takes requests on agent.control. Set before the module is started.</summary>
    public Func<ControlMessage, WireError>? OnControl { get; set; }

    /// <summary>Told of every session that begins. Set before the module is started.</summary>
    public Action? SessionBegan { get; set; }

    /// <summary>Where the spool is.</summary>
    public static string SpoolFolder(string stateDirectory) => Path.Combine(stateDirectory, "spool");

    public string Name => ModuleName.Comm;

    /// <summary>The process's epoch.</summary>
    public Epoch Epoch => _link.Epoch;

    public BatchCompressor Compressor { get; } = new();

    public bool HasRoom => _link.WaitForSpace(TimeSpan.Zero);

    public bool TrySend(BatchBuilder builder, in BatchStamp stamp)
    {
        switch (_link.TryAppend(builder.Class.Priority, new BuilderSealer(builder, stamp, BatchCompression.Zstd)))
        {
            case AppendResult.Appended:
                builder.Reset();
                return true;
            case AppendResult.Full:
                return false;
            default:
                // Builders stop at Limits.SafeDecodedBytes, which always fits.
                throw new InvalidOperationException($"a batch of {builder.RowCount} {builder.Class.Name} rows is larger than a batch may be");
        }
    }

    public double FillOf(PriorityClass priority) => _link.FillOf(priority);

    public void VisitSpooled(SpooledEntryVisitor visitor) => _link.VisitSpooled(visitor);

    public bool WaitForRoom(TimeSpan timeout) => _link.WaitForSpace(timeout);

    /// <summary>Queues a control message for the gateway; false when too many wait.</summary>
    public bool TrySend(ControlMessage message) => _link.TrySend(message);

    public void Start(Action<string> failed)
    {
        var stop = _stop = new CancellationTokenSource();
        _run = Task.Run(async () =>
        {
            try
            {
                await _link.RunAsync(stop.Token).ConfigureAwait(false);
            }
            catch (Exception e)
            {
                failed(e.Message);
            }
        });
    }

    public void Stop(TimeSpan deadline)
    {
        // What is in the spool can wait for the next process; what the disk refused cannot.
        var flushTime = deadline > CloseTime ? deadline - CloseTime : TimeSpan.Zero;
        if (!_link.Status.Connected)
            flushTime = _link.Uncommitted().Count == 0 ? TimeSpan.Zero : flushTime > AbsentGatewayTime ? AbsentGatewayTime : flushTime;
        // A restart after a failure has no session to flush over; at the agent's end everything that can be committed is.
        if (_run is { IsCompleted: false } && !_link.FlushAsync(flushTime).AsTask().GetAwaiter().GetResult())
            LogKept();
        _stop?.Cancel();
        _run?.Wait(CloseTime);
        _stop?.Dispose();
        _stop = null;
        _run = null;
    }

    public void WriteStatus(Utf8JsonWriter writer)
    {
        var status = _link.Status;
        writer.WriteStartObject("link");
        writer.WriteBoolean("connected", status.Connected);
        writer.WriteString("gateway", status.Gateway);
        writer.WriteNumber("generation", status.Generation);
        writer.WriteNumber("sessions", status.Sessions);
        writer.WriteNumber("failed_attempts", status.FailedAttempts);
        writer.WriteNumber("lanes", status.Lanes);
        writer.WriteNumber("parked_lanes", status.ParkedLanes);
        writer.WriteNumber("retained_bytes", status.RetainedBytes);
        writer.WriteNumber("retention_bytes", status.RetentionCapacity);
        writer.WriteNumber("spool_bytes", status.SpoolBytes);
        writer.WriteNumber("spool_capacity", status.SpoolCapacity);
        writer.WriteNumber("batches_evicted", status.BatchesEvicted);
        writer.WriteNumber("rows_evicted", status.RowsEvicted);
        writer.WriteNumber("batches_corrupt", status.BatchesCorrupt);
        writer.WriteNumber("batches_server_lost", status.BatchesServerLost);
        writer.WriteNumber("batches_rewound", status.BatchesRewound);
        writer.WriteNumber("lanes_held", status.LanesHeld);
        writer.WriteNumber("checkpoints", status.Checkpoints);
        writer.WriteNumber("proofs_dropped", status.ProofsDropped);
        writer.WriteNumber("disk_errors", status.DiskErrors);
        writer.WriteString("last_disk_error", status.LastDiskError);
        writer.WriteNumber("batches_appended", status.BatchesAppended);
        writer.WriteNumber("batches_committed", status.BatchesCommitted);
        writer.WriteNumber("batches_resent", status.BatchesResent);
        writer.WriteNumber("batches_refused", status.BatchesRefused);
        writer.WriteNumber("frames_sent", status.FramesSent);
        writer.WriteNumber("bytes_sent", status.BytesSent);
        writer.WriteNumber("round_trip_us", status.RoundTripMicroseconds);
        writer.WriteEndObject();
    }

    public void Dispose()
    {
        _link.Dispose();
        Compressor.Dispose();
    }

    // What is in memory because the disk refuses ends with the process: these lines are its only trace.
    private void LogKept()
    {
        _log.Info(AgentEvent.LinkState, Name,
            $"{_link.Status.RetainedBytes} bytes are not committed yet; what is in the spool goes with the next start");
        foreach (var left in _link.Uncommitted())
        {
            var name = Catalogue.TryGet(left.ClassId, out var eventClass) ? eventClass.Name : $"class {left.ClassId}";
            _log.Error(AgentEvent.NotCommitted, Name, $"{name}: {left.Rows} rows in {left.Batches} batches were not committed before the deadline and are given up");
        }
    }

    private WireError OnMessage(ControlMessage message) =>
        message.Channel == Channels.Registry ? _registry.Take(message)
        : message.Channel == Channels.Control && OnControl is { } control ? control(message) : WireError.Unsupported;

    private void OnEvent(LinkEvent linkEvent)
    {
        _registry.OnEvent(linkEvent);
        if (linkEvent.Kind == LinkEventKind.Connected)
            SessionBegan?.Invoke();
        var retry = linkEvent.RetryIn > TimeSpan.Zero ? $", next attempt in {linkEvent.RetryIn.TotalSeconds:0.0} s" : "";
        var text = linkEvent.Detail + retry;
        if (linkEvent.Kind is LinkEventKind.Connected or LinkEventKind.SpoolAccepted)
            _log.Info(AgentEvent.LinkState, Name, text);
        else
            _log.Warn(AgentEvent.LinkWarning, Name, text);
    }
}
