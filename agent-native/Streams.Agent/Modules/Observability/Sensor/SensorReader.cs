using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using LibbpfSharp.Ring;
using Streams.Agent.Modules.Observability.Sensor.Records;

namespace Streams.Agent.Modules.Observability.Sensor;

/// <summary>
/// Reads the ring of a sensor instance and gives each record to a sink in the order of the numbers of its (class, cpu),
/// and what is missing as lost ranges with causes. For one thread; allocates nothing per event once warm.
/// </summary>
/// <remarks>
/// A record whose number is next goes to the sink straight from the ring. One above a hole is copied into a window of 64:
/// programs nest, so a lower number may be right behind. The hole is a loss once the reader has passed the producer
/// position that it saw after the record above the hole, because lower numbers had their place in the ring by then
/// (emit.h, rule 3); or once the window is full.
/// </remarks>
public sealed partial class SensorReader : IDisposable
{
    // Space goes back to the kernel often enough that a long drain does not fill the ring behind itself.
    private const int RecordsPerCommit = 64;

    private readonly SensorInstance _instance;
    private readonly RingReader _ring;
    private readonly int _cpus;
    private readonly ClassCpuState?[] _states;
    private int _waiting;

    /// <summary>Opens the ring of an instance; goes on after what is in the spool (<see cref="PositionTable"/>).</summary>
    public SensorReader(SensorInstance instance)
    {
        _instance = instance;
        _ring = RingReader.Open(instance.Events);
        _cpus = instance.Cpus;
        _states = new ClassCpuState?[RecordClass.Slots * _cpus];
        foreach (var classId in RecordClass.All)
        {
            for (ushort cpu = 0; cpu < _cpus; cpu++)
            {
                if (instance.Positions.Read(classId, cpu) is { Seq: > 0 } start)
                {
                    _states[(classId * _cpus) + cpu] = new ClassCpuState(classId, cpu, start);
                }
            }
        }
    }

    /// <summary>Records given to the sink.</summary>
    public ulong Records { get; private set; }

    /// <summary>Numbers reported as lost, of all causes.</summary>
    public ulong Lost { get; private set; }

    /// <summary>Numbers reported as lost because a killed agent had read and not handed them on.</summary>
    public ulong Restarted { get; private set; }

    /// <summary>Records skipped because they are in the spool already: a killed agent had not given back their place in the ring.</summary>
    public ulong Reread { get; private set; }

    /// <summary>Numbers reported as lost that nothing explained. Must stay 0.</summary>
    public ulong Unknown { get; private set; }

    /// <summary>Records that came after their number was given up as lost. They are dropped; must stay 0.</summary>
    public ulong Late { get; private set; }

    /// <summary>Records too short or with an impossible class or CPU. They are dropped; must stay 0.</summary>
    public ulong Malformed { get; private set; }

    /// <summary>Bytes in the ring that were not read, from 0 to <see cref="RingBytes"/>: the pressure.</summary>
    public long PendingBytes => _ring.PendingBytes;

    /// <summary>Size of the ring.</summary>
    public int RingBytes => _ring.Capacity;

    /// <summary>The number up to which everything of a (class, cpu) was given to the sink. 0: nothing yet.</summary>
    public ulong LastContiguous(ushort classId, int cpu) => _states[(classId * _cpus) + cpu]?.Contiguous ?? 0;

    /// <summary>Waits until there may be records. False on timeout.</summary>
    /// <param name="timeoutMilliseconds">-1 without limit. With <see cref="SensorOptions.WakeupBytes"/> it bounds the delay of a record.</param>
    public bool Wait(int timeoutMilliseconds) => _ring.Wait(timeoutMilliseconds);

    /// <summary>Gives everything that is in the ring now to the sink.</summary>
    /// <param name="sink">Called on this thread.</param>
    /// <param name="maxRecords">Stops after this many; the rest stays in the ring.</param>
    /// <returns>Records taken from the ring.</returns>
    public int Drain<TSink>(ref TSink sink, int maxRecords = int.MaxValue)
        where TSink : IRecordSink, allows ref struct
    {
        return DrainTo(ref sink, maxRecords, ulong.MaxValue);
    }

    /// <inheritdoc/>
    public void Dispose() => _ring.Dispose();

    private int DrainTo<TSink>(ref TSink sink, int maxRecords, ulong position)
        where TSink : IRecordSink, allows ref struct
    {
        var taken = 0;
        while (taken < maxRecords && _ring.ReadPosition < position && _ring.TryRead(out var record))
        {
            Accept(ref sink, record.Data);
            if (++taken % RecordsPerCommit == 0)
            {
                _ring.Commit();
            }
        }
        _ring.Commit();
        if (_waiting > 0)
        {
            ReleaseFinal(ref sink);
        }
        return taken;
    }

    private void Accept<TSink>(ref TSink sink, ReadOnlySpan<byte> record)
        where TSink : IRecordSink, allows ref struct
    {
        if (record.Length < RecordHeader.ByteSize)
        {
            Malformed++;
            return;
        }
        ref readonly var header = ref MemoryMarshal.AsRef<RecordHeader>(record);
        if (header.Class >= RecordClass.Slots || header.Cpu >= _cpus)
        {
            Malformed++;
            return;
        }
        var state = StateOf(header.Class, header.Cpu);
        var next = state.Contiguous + 1;
        if (header.Seq == next)
        {
            state.Contiguous = next;
            Records++;
            sink.OnRecord(in header, record);
            if (state.Window.Count != 0)
            {
                ReleaseReady(ref sink, state);
            }
        }
        else if (header.Seq <= state.Spooled)
        {
            Reread++;
        }
        else if (header.Seq < next)
        {
            Late++;
        }
        else
        {
            Hold(ref sink, state, header.Seq, record);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Hold<TSink>(ref TSink sink, ClassCpuState state, ulong seq, ReadOnlySpan<byte> record)
        where TSink : IRecordSink, allows ref struct
    {
        if (state.Window.IsFull)
        {
            ReleaseFirst(ref sink, state);
        }
        var wasEmpty = state.Window.Count == 0;
        // Not the position cached by the ring: it must be read after the record was.
        if (!state.Window.Add(seq, record, _ring.ProducerPosition))
        {
            Late++;
        }
        else if (wasEmpty)
        {
            _waiting++;
        }
        ReleaseReady(ref sink, state);
    }

    private void ReleaseFinal<TSink>(ref TSink sink)
        where TSink : IRecordSink, allows ref struct
    {
        foreach (var state in _states)
        {
            if (state is { Window.Count: > 0 })
            {
                ReleaseReady(ref sink, state);
            }
        }
    }

    // Gives on what has no hole below it any more, or only holes that are final.
    private void ReleaseReady<TSink>(ref TSink sink, ClassCpuState state)
        where TSink : IRecordSink, allows ref struct
    {
        while (state.Window.Count > 0
            && (state.Window.FirstSeq <= state.Contiguous + 1 || _ring.ReadPosition >= state.Window.FinalFrom))
        {
            ReleaseFirst(ref sink, state);
        }
    }

    // The hole below the lowest held record, if any, as lost; then the record.
    private void ReleaseFirst<TSink>(ref TSink sink, ClassCpuState state)
        where TSink : IRecordSink, allows ref struct
    {
        var record = state.Window.First;
        ref readonly var header = ref MemoryMarshal.AsRef<RecordHeader>(record);
        if (header.Seq > state.Contiguous + 1)
        {
            Lose(ref sink, state, header.Seq - 1, header.Lost);
        }
        state.Window.RemoveFirst();
        if (state.Window.Count == 0)
        {
            _waiting--;
        }
        if (header.Seq <= state.Contiguous)
        {
            Late++;
            return;
        }
        state.Contiguous = header.Seq;
        Records++;
        sink.OnRecord(in header, record);
    }

    private void Lose<TSink>(ref TSink sink, ClassCpuState state, ulong last, in LostCounters counted)
        where TSink : IRecordSink, allows ref struct
    {
        var first = state.Contiguous + 1;
        var causes = state.Losses.Attribute(last - first + 1, counted, out var uncounted);
        var restart = first > state.RestartUpTo ? 0 : Math.Min(uncounted, Math.Min(last, state.RestartUpTo) - first + 1);
        var unknown = uncounted - restart;
        state.Contiguous = last;
        Lost += last - first + 1;
        Restarted += restart;
        Unknown += unknown;
        sink.OnLost(new LostRange(state.Class, state.Cpu, first, last, causes, unknown, restart));
    }

    private ClassCpuState StateOf(ushort classId, ushort cpu)
    {
        ref var state = ref _states[(classId * _cpus) + cpu];
        return state ??= new ClassCpuState(classId, cpu, default);
    }
}
