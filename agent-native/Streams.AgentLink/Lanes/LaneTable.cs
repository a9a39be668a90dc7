using Streams.AgentLink.Retention;
using Streams.AgentLink.Spool;
using Streams.Schema;

namespace Streams.AgentLink.Lanes;

/// <summary>
/// All lanes: those of this process's epoch and those that earlier processes left in the spool. One open lane per priority class takes
/// live data; a disconnect seals it when it holds anything, so that live data of the next session is never behind backlog. Without a
/// spool, and while the disk refuses, lanes are kept in memory. Thread-safe: every member takes the one lock, held for the copies of at
/// most a frame and for one eviction.
/// </summary>
internal sealed partial class LaneTable : IDisposable
{
    internal const int Classes = Wire.Limits.LaneClasses;

    /// <summary>Each class is sure of 1/32 of the memory, whatever the others hold.</summary>
    private const int ReserveDivisor = 32;

    /// <summary>Of this many frames of a class that has live data and backlog, one carries backlog.</summary>
    private const int BacklogTurn = 4;

    /// <summary>Lanes of this epoch that are kept; above it the newest of a class takes live data again.</summary>
    private const int MaxLanes = 512;

    /// <summary>An open lane with more than this to send is sealed when a session begins, so that live data does not wait behind
    /// it.</summary>
    private const int MaxLiveBacklogBytes = 256 * 1024;

    private readonly Lock _gate = new();
    private readonly BlockPool _pool;
    private readonly SpoolStore? _spool;
    private readonly List<Lane> _lanes = new(Wire.Limits.MaxOpenLanes);
    private readonly Lane?[] _open = new Lane?[Classes * 4];
    private readonly long[] _memoryBytes = new long[Classes];
    private readonly long[] _diskBytes = new long[Classes];
    private readonly int[] _turn = new int[Classes];
    private Epoch _epoch;
    private UInt128 _epochNumber;
    private int _ownLanes;
    private uint _nextLane;
    private bool _disposed;

    /// <param name="retentionBytes">Bound of what is kept in memory.</param>
    /// <param name="spool">Becomes the table's; null keeps everything in memory.</param>
    internal LaneTable(Epoch epoch, int retentionBytes, SpoolStore? spool = null)
    {
        _epoch = epoch;
        Capacity = retentionBytes;
        _pool = new BlockPool(retentionBytes);
        _spool = spool;
        _epochNumber = Lane.ToNumber(epoch);
        foreach (var found in spool?.Found ?? [])
        {
            _diskBytes[(int)found.Name.Priority] += found.Bytes;
            var lane = new Lane(found.Name.Epoch, found.Name.Lane, found.Name.Priority, found)
            {
                Sealed = true,
                Committed = found.Committed,
                NextToSend = found.Committed,
                EverSent = found.Next,
            };
            _lanes.Add(lane);
            _left.Add(lane);
        }

        spool?.Found.Clear();
    }

    /// <summary>The epoch of new lanes.</summary>
    internal Epoch Epoch
    {
        get
        {
            lock (_gate)
            {
                return _epoch;
            }
        }
    }

    /// <summary>The epoch as the wire's number.</summary>
    internal UInt128 EpochNumber => Lane.ToNumber(Epoch);

    /// <summary>Bound of the memory.</summary>
    internal long Capacity { get; }

    internal ulong Appended { get; private set; }

    internal ulong Committed { get; private set; }

    internal ulong Resent { get; private set; }

    /// <summary>Bytes that no watermark covers.</summary>
    internal long RetainedBytes
    {
        get
        {
            lock (_gate)
            {
                var sum = 0L;
                foreach (var lane in _lanes)
                {
                    sum += lane.UncommittedBytes;
                }

                return sum;
            }
        }
    }

    /// <summary>Number of lanes, and how many of them wait for the server.</summary>
    internal (int Lanes, int Held) Count()
    {
        lock (_gate)
        {
            var held = 0;
            foreach (var lane in _lanes)
            {
                held += lane.Held ? 1 : 0;
            }

            return (_lanes.Count, held);
        }
    }

    /// <summary>Batches and rows in memory that no watermark covers, per event class: what the end of the process would lose.</summary>
    internal List<UncommittedClass> Uncommitted()
    {
        var sums = new SortedDictionary<ushort, UncommittedClass>();
        Span<byte> start = stackalloc byte[BatchHeader.Size];
        lock (_gate)
        {
            foreach (var lane in _lanes)
            {
                if (lane.Log is not LaneLog log)
                {
                    continue;
                }

                for (var n = log.First; n != log.Next; n++)
                {
                    log.CopyStart(n, start);
                    // It was sealed in this process.
                    if (BatchHeader.TryRead(start, out var header, out _))
                    {
                        var sum = sums.GetValueOrDefault(header.ClassId);
                        sums[header.ClassId] = new UncommittedClass(header.ClassId, sum.Batches + 1, sum.Rows + header.Rows);
                    }
                }
            }
        }

        return [.. sums.Values];
    }

    /// <summary>
    /// The name of the next batch of a class, when there is room for <paramref name="maxBytes"/> of it. One caller at a time (the
    /// appender's lock): the
    /// name is used by the <see cref="Append"/> that follows, or not at all.
    /// </summary>
    /// <param name="classId">The batch's class where it is known; 0 is none that the server holds back.</param>
    internal bool TryName(PriorityClass priority, int maxBytes, out Lane? lane, out BatchName name, ushort classId = 0)
    {
        lock (_gate)
        {
            lane = null;
            name = default;
            if (_disposed || LaneFor(priority, maxBytes, _heldClasses.Contains(classId)) is not { } open)
            {
                return false;
            }

            lane = open;
            name = new BatchName(_epoch, open.Number, open.Log.Next);
            return true;
        }
    }

    /// <summary>
    /// Keeps the batch named last. False when it must be named again: its lane was sealed in between, the memory or the disk refused, or
    /// the server holds its class back and the lane is not one for those.
    /// </summary>
    /// <param name="record">The batch behind <see cref="RecordHeader.Size"/> bytes of room.</param>
    internal bool Append(Lane lane, Span<byte> record)
    {
        lock (_gate)
        {
            if (_disposed || lane.Sealed || lane.Dropped || _heldClasses.Contains(ClassOf(record[RecordHeader.Size..])) != lane.Parks)
            {
                return false;
            }

            var before = lane.Log.Bytes;
            if (!lane.Log.TryAppend(record))
            {
                if (lane.Segment is not null)
                {
                    Seal(lane);
                    _spool!.Refused();
                }

                return false;
            }

            BytesOf(lane) += lane.Log.Bytes - before;
            Appended++;
            if (lane.Segment is not null)
            {
                Accepted(lane, record.Length);
            }

            return true;
        }
    }

    /// <summary>Ends the lanes of a session that broke.</summary>
    internal void SealOpen()
    {
        lock (_gate)
        {
            SealOpen(above: 0);
        }
    }

    /// <summary>Seals the open lanes that have more than this uncommitted.</summary>
    private void SealOpen(long above)
    {
        foreach (var open in _open)
        {
            if (open is { } lane && lane.UncommittedBytes > above)
            {
                Seal(lane);
            }
        }
    }

    /// <summary>The open lane of a class in one of its four places.</summary>
    /// <param name="parks">For batches that the server holds back.</param>
    /// <param name="onDisk">In the spool, or in memory.</param>
    private ref Lane? Open(PriorityClass priority, bool parks, bool onDisk) =>
        ref _open[((int)priority * 4) + (parks ? 2 : 0) + (onDisk ? 1 : 0)];

    private Lane? LaneFor(PriorityClass priority, int maxBytes, bool parks)
    {
        if (_spool is not null && !_spool.Failing && LaneOnDisk(priority, maxBytes, parks) is { } onDisk)
        {
            return onDisk;
        }

        // With a healthy spool a full quota is not a reason to use memory as well.
        return (_spool is null || _spool.Degraded) && HasRoom(priority, maxBytes) ? LaneInMemory(priority, parks) : null;
    }

    private Lane? LaneInMemory(PriorityClass priority, bool parks)
    {
        ref var slot = ref Open(priority, parks, onDisk: false);
        return slot ??= _spool is null && _lanes.Count >= Wire.Limits.MaxOpenLanes
            ? Reopen(priority, parks, onDisk: false)
            : Add(priority, _nextLane++, new LaneLog(_pool), parks);
    }

    private Lane Add(PriorityClass priority, uint number, ILaneLog log, bool parks)
    {
        var lane = new Lane(_epoch, number, priority, log) { Parks = parks, Held = parks };
        _lanes.Add(lane);
        _ownLanes++;
        BytesOf(lane) += log.Bytes;
        return lane;
    }

    /// <summary>At the limit of lanes the newest sealed lane of the class takes live data again: order is kept, only freshness is
    /// lost.</summary>
    private Lane? Reopen(PriorityClass priority, bool parks, bool onDisk)
    {
        for (var i = _lanes.Count - 1; i >= 0; i--)
        {
            var lane = _lanes[i];
            if (lane.Priority == priority && lane.Held == parks && lane.EpochNumber == _epochNumber && lane.Log.OnDisk == onDisk
                && lane.Segment is not { Evicted: true })
            {
                lane.Sealed = false;
                lane.Parks = parks;
                return lane;
            }
        }

        return null;
    }

    private void Seal(Lane lane)
    {
        lane.Sealed = true;
        lane.Segment?.Seal();
        var place = Array.IndexOf(_open, lane);
        if (place >= 0)
        {
            _open[place] = null;
        }

        if (lane.IsDone)
        {
            Drop(lane);
        }
    }

    private static ushort ClassOf(ReadOnlySpan<byte> batch) =>
        BatchHeader.TryRead(batch, out var header, out _) ? header.ClassId : (ushort)0;

    private ref long BytesOf(Lane lane) => ref (lane.Log.OnDisk ? _diskBytes : _memoryBytes)[(int)lane.Priority];

    private bool HasRoom(PriorityClass priority, int bytes)
    {
        var reserve = Capacity / ReserveDivisor;
        var claimed = SumMemory() + bytes;
        for (var i = 0; i < Classes; i++)
        {
            if (i != (int)priority)
            {
                claimed += Math.Max(0, reserve - _memoryBytes[i]);
            }
        }

        // Blocks, not bytes, run out in the end: a lane's first and last block may be half used.
        var blocks = bytes / BlockPool.BlockSize + 2;
        return blocks <= _pool.FreeBlocks && (claimed <= Capacity || _memoryBytes[(int)priority] + bytes <= reserve);
    }

    private long SumMemory()
    {
        var sum = 0L;
        foreach (var bytes in _memoryBytes)
        {
            sum += bytes;
        }

        return sum;
    }

    public void Dispose()
    {
        Sync();
        lock (_gate)
        {
            if (!_disposed)
            {
                _disposed = true;
                ForgetLeft();
                foreach (var lane in _lanes)
                {
                    lane.Log.Dispose();
                }

                _pool.Dispose();
                _spool?.Dispose();
            }
        }
    }
}
