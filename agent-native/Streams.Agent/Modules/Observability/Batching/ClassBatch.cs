using Streams.Agent.Modules.Observability.Sensor;
using Streams.Agent.Modules.Observability.Sensor.Records;
using Streams.Schema;

namespace Streams.Agent.Modules.Observability.Batching;

/// <summary>The open batch of one class: columns, ledger, and the clock offset that all its times use.</summary>
internal sealed class ClassBatch : IDisposable
{
    private readonly BatchLimits _limits;
    private readonly LedgerAccumulator _ledger;
    private readonly IRecordColumns _columns;
    private long _opened;
    private long _touched;
    private bool _hasLedger;

    public ClassBatch(EventClass eventClass, IRecordColumns columns, BatchLimits limits, int cpus, BatchCompressor compressor)
    {
        _limits = limits;
        _columns = columns;
        _ledger = new LedgerAccumulator(cpus);
        Builder = new BatchBuilder(eventClass, new BuilderOptions { MaxRows = limits.Rows, InitialRows = Math.Min(64, limits.Rows) }, compressor);
    }

    public BatchBuilder Builder { get; }

    public bool IsEmpty => _ledger.Count == 0;

    /// <summary>Wall minus boot clock in microseconds, sampled when the batch was opened.</summary>
    public long ClockOffset { get; private set; }

    public ulong Rows { get; private set; }

    public ulong Lost { get; private set; }

    /// <summary>Records that their class's columns refused (malformed); they are in <see cref="Lost"/>.</summary>
    public ulong Refused { get; private set; }

    public ulong Batches { get; private set; }

    /// <summary>Batches that the link had no room for when the agent had to end.</summary>
    public ulong GivenUpBatches { get; private set; }

    /// <summary>Rows in them.</summary>
    public ulong GivenUpRows { get; private set; }

    /// <summary>Numbers that they reported as lost: nobody will know the causes.</summary>
    public ulong GivenUpLost { get; private set; }

    /// <summary>Appends a record. False when the batch must be sent first; nothing has been taken then.</summary>
    public bool TryAppend(in RecordHeader header, ReadOnlySpan<byte> record)
    {
        Open();
        if (!_columns.TryMeasure(record, out var stringBytes) || stringBytes > Builder.MaxRowStringBytes)
        {
            _ledger.AddRefused(header.Cpu, header.Seq);
            Refused++;
            Lost++;
            return true;
        }

        if (!Builder.TryBeginRow(stringBytes))
            return false;
        Builder.SetClaim(Time(header.TimeNs), header.Seq, header.Cpu, header.PolicyGeneration, (uint)header.Flags);
        _columns.Write(record, Builder, ClockOffset);
        Builder.EndRow();
        _ledger.AddRow(header.Cpu, header.Seq);
        Rows++;
        return true;
    }

    public void AddLost(in LostRange lost)
    {
        Open();
        _ledger.AddLost(lost);
        Lost += lost.Count;
    }

    /// <summary>For a barrier: the CPU's ledger entry ends with what it has now.</summary>
    public void Cut(ushort cpu) => _ledger.Cut(cpu);

    /// <summary>Milliseconds until the batch must be sent; 0 or less: now; <see cref="long.MaxValue"/>: it is empty.</summary>
    public long DueIn(long now) => IsEmpty ? long.MaxValue
        : Builder.IsFull ? 0
        : _limits.DueIn(Builder.RowCount, now - _opened, now - _touched);

    /// <summary>Puts the ledger into the builder, once, before it is offered to the link.</summary>
    public void Close()
    {
        if (_hasLedger)
            return;
        _ledger.WriteTo(Builder);
        _hasLedger = true;
    }

    /// <summary>The batch is in the spool, and the link has reset the builder.</summary>
    /// <param name="positions">Moved on; null when nothing outlives the process.</param>
    public void Sent(PositionTable? positions)
    {
        Batches++;
        if (positions is not null)
            _ledger.Advance(positions, Builder.Class.Id);
        Clear();
    }

    /// <summary>
    /// There is no room for the batch and no time to wait for it: its rows and its ledger are lost with this process. Its position stays,
    /// so the next agent counts them; nothing of the class may be sent after it.
    /// </summary>
    public void GiveUp()
    {
        GivenUpBatches++;
        GivenUpRows += (ulong)Builder.RowCount;
        GivenUpLost += _ledger.Numbers - (ulong)Builder.RowCount;
        Clear();
    }

    public void Dispose() => Builder.Dispose();

    private void Clear()
    {
        Builder.Reset();
        _ledger.Clear();
        _hasLedger = false;
    }

    private void Open()
    {
        _touched = Environment.TickCount64;
        if (!IsEmpty)
            return;
        _opened = _touched;
        ClockOffset = BootClock.OffsetMicroseconds();
    }

    private long Time(ulong bootNanoseconds) => (long)(bootNanoseconds / 1000) + ClockOffset;
}
