using Streams.Agent.Configuration;
using Streams.Agent.Modules.Comm;
using Streams.Agent.Modules.Observability.Sensor;
using Streams.Agent.Modules.Observability.Sensor.Records;
using Streams.Schema;

namespace Streams.Agent.Modules.Observability.Batching;

/// <summary>
/// The open batches of all kernel classes. One thread. A full link blocks the caller inside <see cref="Append"/>: then the ring is not read,
/// fills, and the kernel counts ring_full, which is the only place where events may be lost under backpressure.
/// </summary>
internal sealed class EventBatches : IDisposable
{
    private static readonly TimeSpan RoomPoll = TimeSpan.FromMilliseconds(100);

    private readonly IBatchSink _sink;
    private readonly ClassBatch?[] _byClass = new ClassBatch?[RecordClass.Slots];
    private readonly ClassBatch[] _all;
    private readonly Epoch _sensorEpoch;
    private readonly Action<bool> _paused;
    private readonly PositionTable? _positions;
    private long _giveUpAt = long.MaxValue;

    /// <param name="paused">Told when reading pauses for want of room (true) and goes on (false).</param>
    /// <param name="positions">Moved on with every batch that is handed over; null when nothing outlives the process.</param>
    public EventBatches(
        AgentConfiguration configuration,
        IBatchSink sink,
        Epoch sensorEpoch,
        int cpus,
        Action<bool> paused,
        PositionTable? positions = null)
    {
        _positions = positions;
        _sink = sink;
        _sensorEpoch = sensorEpoch;
        _paused = paused;
        var limits = BatchLimits.Of(configuration);
        Add(RecordClass.ProcessExec, ProcessClasses.Exec, new ExecColumns());
        Add(RecordClass.ProcessExit, ProcessClasses.Exit, new ExitColumns());
        Add(RecordClass.NetworkConnect, NetworkClasses.Connect, NetworkColumns.Connect());
        Add(RecordClass.NetworkAccept, NetworkClasses.Accept, NetworkColumns.Accept());
        Add(RecordClass.NetworkClose, NetworkClasses.Close, NetworkColumns.Close());
        _all = [.. _byClass.OfType<ClassBatch>()];

        void Add(ushort classId, EventClass eventClass, IRecordColumns columns) =>
            _byClass[classId] = new ClassBatch(eventClass, columns, limits, cpus, sink.Compressor);
    }

    public IReadOnlyList<ClassBatch> All => _all;

    /// <summary>Called now and then while a full link holds the thread up.</summary>
    public Action? WhilePaused { get; set; }

    /// <summary>True when a batch was given up: then the next agent has to account for what this one read.</summary>
    public bool HasGivenUp { get; private set; }

    public void Append(in RecordHeader header, ReadOnlySpan<byte> record)
    {
        var batch = _byClass[header.Class]!;
        while (!batch.TryAppend(in header, record))
            Send(batch);
    }

    public void AddLost(in LostRange lost) => _byClass[lost.Class]!.AddLost(in lost);

    /// <summary>For a barrier: the ledger entry of the (class, cpu) ends with what it has now, the next number begins another.</summary>
    public void Cut(ushort classId, ushort cpu) => _byClass[classId]!.Cut(cpu);

    /// <summary>Sends what is due. Returns the milliseconds until the next batch is, or <see cref="long.MaxValue"/>.</summary>
    public long SendDue(long now)
    {
        var next = long.MaxValue;
        foreach (var batch in _all)
        {
            var due = batch.DueIn(now);
            if (due <= 0)
                Send(batch);
            else
                next = Math.Min(next, due);
        }

        return next;
    }

    public void SendAll()
    {
        foreach (var batch in _all)
        {
            if (!batch.IsEmpty)
                Send(batch);
        }
    }

    /// <summary>From now on waiting for room ends at this tick count, and what has no room then is dropped.</summary>
    public void GiveUpAt(long tickCount) => Volatile.Write(ref _giveUpAt, tickCount);

    public void Dispose()
    {
        foreach (var batch in _all)
            batch.Dispose();
    }

    private void Send(ClassBatch batch)
    {
        if (batch.GivenUpBatches > 0)
        {
            // The numbers of a class have no hole: what follows one is given up too.
            batch.GiveUp();
            return;
        }

        batch.Close();
        var stamp = new BatchStamp(_sensorEpoch, batch.ClockOffset);
        if (!_sink.TrySend(batch.Builder, stamp))
        {
            _paused(true);
            while (!_sink.TrySend(batch.Builder, stamp))
            {
                if (Environment.TickCount64 >= Volatile.Read(ref _giveUpAt))
                {
                    batch.GiveUp();
                    HasGivenUp = true;
                    _paused(false);
                    return;
                }

                WhilePaused?.Invoke();

                _sink.WaitForRoom(RoomPoll);
            }

            _paused(false);
        }

        batch.Sent(_positions);
    }
}
