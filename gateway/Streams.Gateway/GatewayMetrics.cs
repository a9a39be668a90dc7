using System.Collections.Frozen;
using System.Diagnostics.Metrics;
using Streams.Gateway.Ingest;
using Streams.Gateway.Sessions;
using Streams.Wire;
using Streams.Wire.Frames;
using Streams.Wire.Handshake;

namespace Streams.Gateway;

/// <summary>
/// Instruments of the gateway's hop, meter <c>Streams.Gateway</c>. What came in minus what went on minus what was dropped with a cause is what is inside:
/// loss between two hops is a subtraction. Tags are bounded: class (6), cause, kind, reason (closed lists), never an agent.
/// </summary>
public sealed class GatewayMetrics : IDisposable
{
    public const string MeterName = "Streams.Gateway";

    private static readonly KeyValuePair<string, object?>[] ClassTags =
        [.. Enum.GetValues<LaneClass>().Select(laneClass => new KeyValuePair<string, object?>("class", laneClass.ToString().ToLowerInvariant()))];

    private static readonly FrozenDictionary<FrameType, string> TypeNames =
        Enum.GetValues<FrameType>().ToFrozenDictionary(type => type, type => type.ToString().ToLowerInvariant());

    private readonly Meter _meter;
    private readonly Counter<long> _received;
    private readonly Counter<long> _receivedBytes;
    private readonly Counter<long> _sent;
    private readonly Counter<long> _sentBytes;
    private readonly Counter<long> _sentBatches;
    private readonly Counter<long> _dropped;
    private readonly Counter<long> _errors;
    private readonly Counter<long> _refused;
    private readonly Counter<long> _opened;
    private readonly Counter<long> _ended;
    private readonly Counter<long> _graphFailures;
    private readonly Counter<long> _control;
    private readonly Counter<long> _rewinds;
    private readonly Counter<long> _rewindsTold;
    private readonly Counter<long> _holdsTold;
    private readonly Counter<long> _clones;
    private readonly Counter<long> _messages;
    private readonly Counter<long> _messagesRefused;
    private readonly Counter<long> _signatures;
    private readonly Counter<long> _commands;
    private readonly Counter<long> _alerts;

    /// <param name="factory">Null makes a meter of its own, e.g. in tests.</param>
    public GatewayMetrics(IMeterFactory? factory = null)
    {
        _meter = factory?.Create(MeterName) ?? new Meter(MeterName);
        _received = _meter.CreateCounter<long>("streams.gateway.received", "{frame}", "Data frames received, by class");
        _receivedBytes = _meter.CreateCounter<long>("streams.gateway.received.bytes", "By", "Bytes of data frames received, by class");
        _sent = _meter.CreateCounter<long>("streams.gateway.sent", "{frame}", "Data frames acknowledged by the queue, by class");
        _sentBytes = _meter.CreateCounter<long>("streams.gateway.sent.bytes", "By", "Bytes of messages acknowledged by the queue, by class");
        _sentBatches = _meter.CreateCounter<long>("streams.gateway.sent.batches", "{batch}", "Batches acknowledged by the queue, by class");
        _dropped = _meter.CreateCounter<long>("streams.gateway.dropped", "{frame}", "Data frames not sent on, by class and cause; the agent has them still");
        _errors = _meter.CreateCounter<long>("streams.gateway.errors", "{error}", "Errors that were survived, by kind");
        _refused = _meter.CreateCounter<long>("streams.gateway.handshakes.refused", "{handshake}", "Connections refused before a session, by reason");
        _opened = _meter.CreateCounter<long>("streams.gateway.sessions.opened", "{session}", "Sessions begun");
        _ended = _meter.CreateCounter<long>("streams.gateway.sessions.ended", "{session}", "Sessions ended, by reason");
        _graphFailures = _meter.CreateCounter<long>("streams.gateway.graph.failures", "{failure}", "Ends of ingest graphs that nobody asked for");
        _control = _meter.CreateCounter<long>("streams.gateway.control", "{frame}", "Frames that are not data, by direction and type");
        _rewinds = _meter.CreateCounter<long>("streams.gateway.rewinds", "{rewind}", "Lanes that went back because the worker said so");
        _rewindsTold = _meter.CreateCounter<long>("streams.gateway.rewinds.told", "{lane}", "Lanes that agents were told to send again, repeats included");
        _holdsTold = _meter.CreateCounter<long>("streams.gateway.holds.told", "{lane}", "Lanes that agents were told to hold, repeats included");
        _clones = _meter.CreateCounter<long>("streams.gateway.clones", "{session}", "Sessions that look like those of a copied agent, by reason");
        _messages = _meter.CreateCounter<long>("streams.gateway.messages", "{message}", "Control messages of agents that were taken, by channel");
        _messagesRefused = _meter.CreateCounter<long>("streams.gateway.messages.refused", "{message}", "Control messages not taken, by who refused and error");
        _commands = _meter.CreateCounter<long>("streams.gateway.commands", "{command}", "Commands that were read for an agent, by fate (sent, expired, malformed)");
        _signatures = _meter.CreateCounter<long>("streams.gateway.signatures", "{signature}", "Signatures of agents that were checked, by stage (handshake, session)");
        _alerts = _meter.CreateCounter<long>("streams.gateway.alerts", "{alert}", "System alerts by kind; each is a log event and a row of system_alert too");
    }

    /// <summary>For tests, which listen to one of several in a process.</summary>
    internal Meter Meter => _meter;

    /// <summary>Registers what is read when metrics are collected.</summary>
    internal void Observe(Func<long> sessions, Func<long> poolReserved, Func<long> buffers, Func<long> inFlight)
    {
        _meter.CreateObservableGauge("streams.gateway.sessions", sessions, "{session}", "Sessions now");
        _meter.CreateObservableGauge("streams.gateway.credit.reserved", poolReserved, "By", "Credit granted and not returned");
        _meter.CreateObservableGauge("streams.gateway.buffers", buffers, "{buffer}", "Frame buffers rented now");
        _meter.CreateObservableGauge("streams.gateway.publish.inflight", inFlight, "{message}", "Messages on their way to the queue");
    }

    /// <summary>Registers when the TLS certificate in use ends.</summary>
    internal void ObserveTls(Func<long> notAfter) =>
        _meter.CreateObservableGauge("streams.gateway.tls.not_after", notAfter, "s", "End of the TLS certificate in use, Unix seconds");

    internal void Received(LaneClass laneClass, int bytes)
    {
        _received.Add(1, ClassTags[(int)laneClass]);
        _receivedBytes.Add(bytes, ClassTags[(int)laneClass]);
    }

    internal void Sent(LaneClass laneClass, int bytes, int batches)
    {
        _sent.Add(1, ClassTags[(int)laneClass]);
        _sentBytes.Add(bytes, ClassTags[(int)laneClass]);
        _sentBatches.Add(batches, ClassTags[(int)laneClass]);
    }

    internal void Dropped(LaneClass laneClass, FrameFate cause) =>
        _dropped.Add(1, ClassTags[(int)laneClass], new KeyValuePair<string, object?>("cause", cause.Label()));

    internal void Error(string kind) => _errors.Add(1, new KeyValuePair<string, object?>("kind", kind));

    internal void Refused(RefusalReason reason) => Refused(reason.ToString());

    internal void Refused(string reason) => _refused.Add(1, new KeyValuePair<string, object?>("reason", reason));

    internal void Alerted(string kind) => _alerts.Add(1, new KeyValuePair<string, object?>("kind", kind));

    internal void SessionOpened() => _opened.Add(1);

    internal void SessionEnded(SessionEnd end) => _ended.Add(1, new KeyValuePair<string, object?>("reason", end.Label()));

    internal void GraphFailed(string graph) => _graphFailures.Add(1, new KeyValuePair<string, object?>("graph", graph));

    internal void Control(string direction, FrameType type) =>
        _control.Add(1, new KeyValuePair<string, object?>("direction", direction), new KeyValuePair<string, object?>("type", TypeNames.GetValueOrDefault(type, "unknown")));

    internal void Rewound() => _rewinds.Add(1);

    internal void RewindsTold(int lanes) => _rewindsTold.Add(lanes);

    internal void HoldsTold(int lanes) => _holdsTold.Add(lanes);

    internal void Clone(string reason) => _clones.Add(1, new KeyValuePair<string, object?>("reason", reason));

    internal void MessageTaken(string channel) => _messages.Add(1, new KeyValuePair<string, object?>("channel", channel));

    internal void MessageRefused(string by, WireError error) =>
        _messagesRefused.Add(1, new KeyValuePair<string, object?>("by", by), new KeyValuePair<string, object?>("error", error.Label()));

    internal void SignatureChecked(string stage) => _signatures.Add(1, new KeyValuePair<string, object?>("stage", stage));

    public void Command(string fate) => _commands.Add(1, new KeyValuePair<string, object?>("fate", fate));

    public void Dispose() => _meter.Dispose();
}
