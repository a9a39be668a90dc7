using Streams.Schema;
using Streams.Worker.Decode;

namespace Streams.Worker.Ranges;

/// <summary>
/// Grows the open range of one partition and says when it must close: rows, bytes, batches, linger, an alert in it, another day of receipt, drain.
/// Not thread-safe; time comes from the linger clock only.
/// </summary>
internal sealed class RangeBuilder(int partition, RangeLimits limits, LingerClock clock) : IDisposable
{
    /// <summary>
    /// Batches of one range. Each is named in tokens and read-backs, and 250,000 rows (a range of four partitions) in batches of 16 rows
    /// are
    /// fewer: only batches that carry little but a ledger reach it.
    /// </summary>
    internal const int MaxBatches = 16_384;

    private const long MicrosPerDay = 86_400_000_000;

    private List<StagedBatch> _batches = [];
    private int _rows;
    private long _bytes;
    private int _day;
    private ulong _lastSequence;
    private bool _any;
    private bool _alert;

    /// <summary>True when nothing was consumed since the last range.</summary>
    public bool IsEmpty => !_any;

    /// <summary>Timestamp of the clock at which the open range is due.</summary>
    public long Deadline { get; private set; }

    /// <summary>True when the open range has waited long enough.</summary>
    public bool IsDue => _any && clock.Until(Deadline) == TimeSpan.Zero;

    /// <summary>True when the open range is full by rows, bytes or batches.</summary>
    public bool IsFull => _rows >= limits.Rows || _bytes >= limits.Bytes || _batches.Count >= MaxBatches;

    /// <summary>True when <paramref name="item"/> belongs to another day than the open range: close first.</summary>
    public bool ChangesDay(in IntakeItem item) => _batches.Count != 0 && item.Batch is { } batch && DayOf(batch) != _day;

    /// <summary>Adds one step of reading; the caller asked <see cref="ChangesDay"/> before.</summary>
    public void Add(in IntakeItem item)
    {
        if (!_any)
        {
            _any = true;
            Deadline = clock.NextTick();
        }

        if (item.Batch is { } batch)
        {
            _day = DayOf(batch);
            _rows += batch.Rows;
            _bytes += batch.Bytes;
            _batches.Add(batch);
            if (!_alert && batch is { Letter: null, Decoded.Header.Priority: PriorityClass.Alert })
            {
                _alert = true;
                Deadline = Math.Min(Deadline, clock.NextAlertTick());
            }
        }

        if (item.EndsMessage)
        {
            _lastSequence = item.Sequence;
        }
    }

    /// <summary>Hands over the open range and starts the next.</summary>
    public BatchRange Close(CloseReason reason)
    {
        var range = new BatchRange(partition, reason, _batches)
        {
            Rows = _rows,
            Bytes = _bytes,
            Day = _day,
            LastSequence = _lastSequence,
        };
        _batches = new List<StagedBatch>(Math.Min(_batches.Count, 1024));
        _rows = 0;
        _bytes = 0;
        _lastSequence = 0;
        _any = false;
        _alert = false;
        return range;
    }

    /// <summary>Why a full range is full.</summary>
    public CloseReason FullReason => _rows >= limits.Rows
        ? CloseReason.Rows : _bytes >= limits.Bytes ? CloseReason.Bytes : CloseReason.Batches;

    /// <summary>Why a range that is due is due.</summary>
    public CloseReason DueReason => _alert ? CloseReason.Alert : CloseReason.Linger;

    /// <summary>Returns the batches of the open range.</summary>
    public void Dispose() => Close(CloseReason.Drain).Dispose();

    private static int DayOf(StagedBatch batch) => (int)Math.DivRem(batch.Head.ReceivedAt, MicrosPerDay).Quotient;
}
