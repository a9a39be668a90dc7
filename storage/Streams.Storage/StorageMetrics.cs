using System.Diagnostics.Metrics;

namespace Streams.Storage;

/// <summary>Instruments of the storage hop: rows received for a table, sent to it, and errors by outcome.</summary>
public sealed class StorageMetrics : IDisposable
{
    public const string MeterName = "Streams.Storage";

    private readonly Meter _meter;
    private readonly Counter<long> _received;
    private readonly Counter<long> _sent;
    private readonly Counter<long> _errors;
    private readonly Counter<long> _blocks;
    private readonly Histogram<double> _duration;

    public StorageMetrics(IMeterFactory? factory = null)
    {
        _meter = factory?.Create(MeterName) ?? new Meter(MeterName);
        _received = _meter.CreateCounter<long>("streams.storage.received", "{row}", "rows handed to an insert");
        _sent = _meter.CreateCounter<long>("streams.storage.sent", "{row}", "rows of inserts that succeeded");
        _blocks = _meter.CreateCounter<long>("streams.storage.blocks", "{block}", "inserts that succeeded");
        _errors = _meter.CreateCounter<long>("streams.storage.errors", "{insert}", "inserts that did not, by kind");
        _duration = _meter.CreateHistogram<double>("streams.storage.insert.duration", "s", "time of an insert");
    }

    public void Dispose() => _meter.Dispose();

    internal void Inserted(string table, int rows, in InsertResult result, TimeSpan took)
    {
        var label = new KeyValuePair<string, object?>("table", table);
        _received.Add(rows, label);
        _duration.Record(took.TotalSeconds, label);
        if (result.Outcome == InsertOutcome.Ok)
        {
            _sent.Add(rows, label);
            _blocks.Add(1, label);
        }
        else
        {
            _errors.Add(1, label, new KeyValuePair<string, object?>("kind", Kind(result.Outcome)));
        }
    }

    private static string Kind(InsertOutcome outcome) => outcome switch
    {
        InsertOutcome.Retry => "retry",
        InsertOutcome.Split => "split",
        InsertOutcome.Stop => "stop",
        _ => "in_doubt",
    };
}
