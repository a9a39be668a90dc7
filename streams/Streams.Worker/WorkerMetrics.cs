using System.Diagnostics.Metrics;
using Streams.Schema;
using Streams.Worker.Admission;
using Streams.Worker.Commit;
using Streams.Worker.Decode;
using Streams.Worker.Ranges;

namespace Streams.Worker;

/// <summary>
/// What the worker takes, gives, drops and refuses, per batch or message, never per row. Meter <c>Streams.Worker</c>. The totals are also
/// readable here, for health and tests.
/// </summary>
public sealed class WorkerMetrics : IDisposable
{
    /// <summary>Name of the meter.</summary>
    public const string MeterName = "Streams.Worker";

    private readonly Meter _meter;
    private readonly Counter<long> _messages;
    private readonly Counter<long> _messageBytes;
    private readonly Counter<long> _dropped;
    private readonly Counter<long> _skipped;
    private readonly Counter<long> _refused;
    private readonly Counter<long> _rewinds;
    private readonly Counter<long> _holds;
    private readonly Counter<long> _alerts;
    private readonly Counter<long> _alertsDropped;
    private readonly Counter<long> _ledgerFaults;
    private readonly Counter<long> _partsRead;
    private readonly Counter<long> _partsUnreadable;
    private readonly Counter<long> _partFaults;
    private readonly Counter<long> _batches;
    private readonly Counter<long> _columnsIgnored;
    private readonly Counter<long> _rows;
    private readonly Counter<long> _inDoubt;
    private readonly Counter<long> _ranges;
    private readonly Counter<long> _faults;
    private readonly Histogram<double> _insertSeconds;
    private readonly Histogram<double> _roundSeconds;
    private readonly Histogram<long> _blockRows;
    private long _rowTotal;
    private long _droppedTotal;
    private long _refusedTotal;
    private long _inDoubtTotal;
    private long _faultTotal;
    private long _blockTotal;
    private long _deadLetterTotal;
    private long _rewindTotal;
    private long _ignoredTotal;

    public WorkerMetrics(IMeterFactory? factory = null)
    {
        _meter = factory?.Create(MeterName) ?? new Meter(MeterName);
        _messages = _meter.CreateCounter<long>("streams.worker.received", "{message}", "Messages read from the queue");
        _messageBytes = _meter.CreateCounter<long>("streams.worker.received.bytes", "By", "Payload bytes read from the queue");
        _dropped = _meter.CreateCounter<long>("streams.worker.dropped", "{message}", "Messages not admitted, by cause");
        _skipped = _meter.CreateCounter<long>(
            "streams.worker.skipped", "{batch}", "Batches at the start of a message that were admitted before");
        _refused = _meter.CreateCounter<long>(
            "streams.worker.errors", "{batch}", "Batches refused after admission of their message, by kind");
        _rewinds = _meter.CreateCounter<long>("streams.worker.rewinds", "{rewind}", "Lanes asked to go back");
        _holds = _meter.CreateCounter<long>("streams.worker.holds", "{hold}", "Lanes told to wait because a batch cannot be stored yet");
        _alerts = _meter.CreateCounter<long>("streams.worker.alerts", "{alert}", "System alerts raised, by kind");
        _ledgerFaults = _meter.CreateCounter<long>("streams.worker.ledger.errors", "{round}", "Rounds that could not settle the ledger");
        _partsRead = _meter.CreateCounter<long>("streams.worker.parts.read", "{part}", "Parts of ClickHouse that were read once");
        _partsUnreadable = _meter.CreateCounter<long>("streams.worker.parts.unreadable", "{part}", "Those that could not be read");
        _partFaults = _meter.CreateCounter<long>("streams.worker.parts.errors", "{round}", "Rounds that could not read parts");
        _alertsDropped = _meter.CreateCounter<long>(
            "streams.worker.alerts.dropped", "{alert}", "System alerts that became no row because too many waited");
        _batches = _meter.CreateCounter<long>("streams.worker.admitted", "{batch}", "Batches admitted and decoded, by class");
        _columnsIgnored = _meter.CreateCounter<long>(
            "streams.worker.columns_ignored", "{column}", "Columns of newer agents that were skipped");
        _rows = _meter.CreateCounter<long>("streams.worker.sent", "{row}", "Rows inserted, by table");
        _inDoubt = _meter.CreateCounter<long>(
            "streams.worker.inserts.in_doubt", "{insert}", "Inserts without a clean first success, by verdict");
        _ranges = _meter.CreateCounter<long>("streams.worker.ranges", "{range}", "Ranges committed, by what closed them");
        _faults = _meter.CreateCounter<long>(
            "streams.worker.pipeline.faults", "{fault}", "Ends of a partition's pipeline that nobody asked for");
        _insertSeconds = _meter.CreateHistogram<double>(
            "streams.worker.insert.duration", "s", "From sending a block to knowing that it is stored");
        _roundSeconds = _meter.CreateHistogram<double>("streams.worker.round.duration", "s", "From gathering a round to its ledger rows");
        _blockRows = _meter.CreateHistogram<long>("streams.worker.block.rows", "{row}", "Rows of an inserted block");
    }

    /// <summary>Rows stored in class tables since the start.</summary>
    public long Rows => Volatile.Read(ref _rowTotal);

    /// <summary>Messages dropped since the start.</summary>
    public long DroppedMessages => Volatile.Read(ref _droppedTotal);

    /// <summary>Batches refused since the start.</summary>
    public long RefusedBatches => Volatile.Read(ref _refusedTotal);

    /// <summary>Inserts that were in doubt since the start.</summary>
    public long InsertsInDoubt => Volatile.Read(ref _inDoubtTotal);

    /// <summary>Pipelines that ended without being asked to since the start.</summary>
    public long Faults => Volatile.Read(ref _faultTotal);

    /// <summary>Batches given up since the start.</summary>
    public long DeadLetters => Volatile.Read(ref _deadLetterTotal);

    /// <summary>Lanes asked to go back since the start.</summary>
    public long Rewinds => Volatile.Read(ref _rewindTotal);

    /// <summary>Columns of newer producers skipped since the start.</summary>
    public long ColumnsIgnored => Volatile.Read(ref _ignoredTotal);

    /// <summary>Blocks inserted since the start, ledger blocks included.</summary>
    public long Blocks => Volatile.Read(ref _blockTotal);

    public void Dispose() => _meter.Dispose();

    /// <summary>From then on what partitions hold is shown; asked at each collection.</summary>
    internal void Observe(Func<IReadOnlyList<PartitionHealth>> partitions)
    {
        Show("streams.worker.read_ahead", "By", "Payload bytes read from the queue and not yet decoded", static load => load.ReadAheadBytes);
        Show("streams.worker.batches", "{batch}", "Decoded batches that are not committed", static load => load.Batches);
        Show("streams.worker.open_ranges", "{range}", "Ranges between closing and commit", static load => load.OpenRanges);

        void Show(string name, string unit, string description, Func<PartitionLoad, long> value) => _meter.CreateObservableGauge(
            name,
            () => partitions().Select(partition => new Measurement<long>(
                value(partition.Load), new KeyValuePair<string, object?>("partition", partition.Partition))),
            unit,
            description);
    }

    internal void Received(int bytes)
    {
        _messages.Add(1);
        _messageBytes.Add(bytes);
    }

    internal void Dropped(AdmissionKind cause)
    {
        Interlocked.Increment(ref _droppedTotal);
        _dropped.Add(1, new KeyValuePair<string, object?>("cause", Label(cause)));
    }

    internal void Skipped(uint batches) => _skipped.Add(batches);

    internal void Refused(Refusal kind)
    {
        Interlocked.Increment(ref _refusedTotal);
        _refused.Add(1, new KeyValuePair<string, object?>("kind", Label(kind)));
    }

    internal void Rewound()
    {
        Interlocked.Increment(ref _rewindTotal);
        _rewinds.Add(1);
    }

    internal void Held() => _holds.Add(1);

    internal void AlertDropped() => _alertsDropped.Add(1);

    internal void LedgerFault() => _ledgerFaults.Add(1);

    internal void PartsRead(int parts, int unreadable)
    {
        _partsRead.Add(parts);
        _partsUnreadable.Add(unreadable);
    }

    internal void PartFault() => _partFaults.Add(1);

    internal void Alerted(string kind) => _alerts.Add(1, new KeyValuePair<string, object?>("kind", kind));

    internal void Admitted(DecodedBatch batch)
    {
        _batches.Add(1, new KeyValuePair<string, object?>("class", batch.Class.Name));
        if (batch.IgnoredColumns != 0)
        {
            Interlocked.Add(ref _ignoredTotal, batch.IgnoredColumns);
            _columnsIgnored.Add(batch.IgnoredColumns);
        }
    }

    internal void Inserted(InsertTarget target, IReadOnlyList<PendingBatch> batches, TimeSpan duration)
    {
        long rows = 0;
        foreach (var batch in batches)
        {
            rows += target.IsLedger ? batch.Batch.LedgerRows : target.IsDeadLetter ? 1 : batch.Batch.Rows;
        }

        var tag = new KeyValuePair<string, object?>("table", target.Table);
        _rows.Add(rows, tag);
        _blockRows.Record(rows, tag);
        _insertSeconds.Record(duration.TotalSeconds, tag);
        Interlocked.Increment(ref _blockTotal);
        if (target.IsDeadLetter)
        {
            Interlocked.Add(ref _deadLetterTotal, rows);
        }
        else if (!target.IsLedger)
        {
            Interlocked.Add(ref _rowTotal, rows);
        }
    }

    internal void InDoubt(InsertVerdict verdict)
    {
        Interlocked.Increment(ref _inDoubtTotal);
        _inDoubt.Add(1, new KeyValuePair<string, object?>("verdict", Label(verdict)));
    }

    internal void RangeCommitted(CloseReason reason) => _ranges.Add(1, new KeyValuePair<string, object?>("reason", Label(reason)));

    internal void RoundCommitted(TimeSpan duration) => _roundSeconds.Record(duration.TotalSeconds);

    internal void Faulted(int partition)
    {
        Interlocked.Increment(ref _faultTotal);
        _faults.Add(1, new KeyValuePair<string, object?>("partition", partition));
    }

    private static string Label<T>(T value)
        where T : struct, Enum => Labels<T>.Names[Convert.ToInt32(value)];

    private static class Labels<T>
        where T : struct, Enum
    {
        // snake_case of the enum's names; every enum here counts from 0 without gaps.
        public static readonly string[] Names = [.. Enum.GetNames<T>().Select(name =>
            string.Concat(name.Select((c, i) =>
                char.IsUpper(c) && i > 0 ? "_" + char.ToLowerInvariant(c) : char.ToLowerInvariant(c).ToString())))];
    }
}
