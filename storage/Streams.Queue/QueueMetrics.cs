using System.Diagnostics.Metrics;

namespace Streams.Queue;

/// <summary>Counters of the hop through the queue; the difference of any two hops is what is under way or was lost between them.</summary>
public sealed class QueueMetrics
{
    private static readonly string[] Outcomes = ["acknowledged", "duplicate", "queue_full", "ambiguous", "refused"];

    private readonly Counter<long> _published;
    private readonly Counter<long> _publishedBytes;
    private readonly Counter<long> _received;
    private readonly Counter<long> _receivedBytes;
    private readonly Counter<long> _errors;
    private readonly Counter<long> _reconnects;
    private readonly Counter<long> _rows;

    private QueueMetrics()
    {
        var meter = new Meter("Streams.Queue");
        _published = meter.CreateCounter<long>("streams.queue.published", "{message}", "Messages by result of the publish.");
        _publishedBytes = meter.CreateCounter<long>("streams.queue.published.bytes", "By", "Payload bytes acknowledged by the queue.");
        _received = meter.CreateCounter<long>("streams.queue.received", "{message}", "Messages read in order.");
        _receivedBytes = meter.CreateCounter<long>("streams.queue.received.bytes", "By", "Payload bytes read in order.");
        _errors = meter.CreateCounter<long>(
            "streams.queue.errors",
            "{error}",
            "Faults by kind: gap, redelivery, reposition, stream_reset, pump, header, flow, flow_handler, flow_answer, watch, topology.");
        _reconnects = meter.CreateCounter<long>("streams.queue.reconnects", "{connection}", "Connections opened after the first.");
        _rows = meter.CreateCounter<long>(
            "streams.queue.rows",
            "{row}",
            "Rows of the server's own producers by state: appended, dropped, committed, and resent as often as they were sent again.");
    }

    public static QueueMetrics Shared { get; } = new();

    internal void Published(PublishOutcome outcome, long bytes)
    {
        _published.Add(1, new KeyValuePair<string, object?>("result", Outcomes[(int)outcome]));
        if (outcome is PublishOutcome.Acknowledged)
            _publishedBytes.Add(bytes);
    }

    internal void Received(int messages, long bytes)
    {
        _received.Add(messages);
        _receivedBytes.Add(bytes);
    }

    internal void Error(string kind) => _errors.Add(1, new KeyValuePair<string, object?>("kind", kind));

    internal void Rows(string state, long count) => _rows.Add(count, new KeyValuePair<string, object?>("state", state));

    internal void Reconnected() => _reconnects.Add(1);
}
