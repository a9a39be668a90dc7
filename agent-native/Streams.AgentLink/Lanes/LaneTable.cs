using Streams.AgentLink.Retention;
using Streams.Schema;

namespace Streams.AgentLink.Lanes;

/// <summary>
/// All lanes of this process's epoch. One open lane per priority class takes live data; a disconnect seals it when it holds anything, so
/// that live data
/// of the next session is never behind backlog. Thread-safe: every member takes the one lock, held for copies of at most a frame.
/// </summary>
internal sealed partial class LaneTable : IDisposable
{
    internal const int Classes = Wire.Limits.LaneClasses;

    /// <summary>Each class is sure of 1/32 of the memory, whatever the others hold.</summary>
    private const int ReserveDivisor = 32;

    /// <summary>Of this many frames of a class that has live data and backlog, one carries backlog.</summary>
    private const int BacklogTurn = 4;

    private readonly Lock _gate = new();
    private readonly BlockPool _pool;
    private readonly List<Lane> _lanes = new(Wire.Limits.MaxOpenLanes);
    private readonly Lane?[] _open = new Lane?[Classes];
    private readonly long[] _classBytes = new long[Classes];
    private readonly int[] _turn = new int[Classes];
    private readonly UInt128 _epochNumber;
    private uint _nextLane;
    private bool _disposed;

    internal LaneTable(Epoch epoch, int retentionBytes)
    {
        Epoch = epoch;
        Capacity = retentionBytes;
        _pool = new BlockPool(retentionBytes);
        Span<byte> bytes = stackalloc byte[Epoch.Size];
        epoch.Write(bytes);
        _epochNumber = System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }

    internal Epoch Epoch { get; }

    /// <summary>The epoch as the wire's number.</summary>
    internal UInt128 EpochNumber => _epochNumber;

    internal long Capacity { get; }

    internal ulong Appended { get; private set; }

    internal ulong Committed { get; private set; }

    internal ulong Resent { get; private set; }

    /// <summary>Sum of the retained bytes.</summary>
    internal long RetainedBytes
    {
        get
        {
            lock (_gate)
            {
                return SumBytes();
            }
        }
    }

    /// <summary>Number of lanes, and how many of them wait for the server.</summary>
    internal (int Lanes, int Parked) Count()
    {
        lock (_gate)
        {
            var parked = 0;
            foreach (var lane in _lanes)
            {
                parked += lane.Parked ? 1 : 0;
            }

            return (_lanes.Count, parked);
        }
    }

    /// <summary>Batches and rows that no watermark covers, per event class, from the headers of the batches.</summary>
    internal List<UncommittedClass> Uncommitted()
    {
        var sums = new SortedDictionary<ushort, UncommittedClass>();
        Span<byte> start = stackalloc byte[BatchHeader.Size];
        lock (_gate)
        {
            foreach (var lane in _lanes)
            {
                for (var n = lane.Log.First; n != lane.Log.Next; n++)
                {
                    lane.Log.CopyStart(n, start);
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
    internal bool TryName(PriorityClass priority, int maxBytes, out Lane? lane, out BatchName name)
    {
        lock (_gate)
        {
            lane = null;
            name = default;
            if (_disposed || !HasRoom(priority, maxBytes) || OpenLane(priority) is not { } open)
            {
                return false;
            }

            lane = open;
            name = new BatchName(Epoch, open.Number, open.Log.Next);
            return true;
        }
    }

    /// <summary>Keeps the bytes of the batch named last; false when the memory went in between.</summary>
    internal bool Append(Lane lane, ReadOnlySpan<byte> batch)
    {
        lock (_gate)
        {
            // The lane may have been sealed while the batch was: it still ends in this batch, n stays without gap.
            if (_disposed || !lane.Log.TryAppend(batch))
            {
                return false;
            }

            if (!_lanes.Contains(lane))
            {
                // It was empty, sealed and dropped in between; it is needed again.
                _lanes.Add(lane);
            }

            _classBytes[(int)lane.Priority] += batch.Length;
            Appended++;
            return true;
        }
    }

    /// <summary>Ends the session's open lanes.</summary>
    internal void SealOpen()
    {
        lock (_gate)
        {
            for (var i = 0; i < Classes; i++)
            {
                if (_open[i] is { } lane && lane.Log.Bytes > 0)
                {
                    lane.Sealed = true;
                    _open[i] = null;
                }
            }
        }
    }

    private Lane? OpenLane(PriorityClass priority)
    {
        if (_open[(int)priority] is { } open)
        {
            return open;
        }

        if (_lanes.Count >= Wire.Limits.MaxOpenLanes)
        {
            return Reopen(priority);
        }

        var lane = new Lane(_nextLane++, priority, _pool);
        _lanes.Add(lane);
        _open[(int)priority] = lane;
        return lane;
    }

    /// <summary>At the limit of lanes the newest sealed lane of the class takes live data again: order is kept, only freshness is
    /// lost.</summary>
    private Lane? Reopen(PriorityClass priority)
    {
        for (var i = _lanes.Count - 1; i >= 0; i--)
        {
            if (_lanes[i].Priority == priority && !_lanes[i].Parked)
            {
                _lanes[i].Sealed = false;
                return _open[(int)priority] = _lanes[i];
            }
        }

        return null;
    }

    private bool HasRoom(PriorityClass priority, int bytes)
    {
        var reserve = Capacity / ReserveDivisor;
        var claimed = SumBytes() + bytes;
        for (var i = 0; i < Classes; i++)
        {
            if (i != (int)priority)
            {
                claimed += Math.Max(0, reserve - _classBytes[i]);
            }
        }

        // Blocks, not bytes, run out in the end: a lane's first and last block may be half used.
        var blocks = bytes / BlockPool.BlockSize + 2;
        return blocks <= _pool.FreeBlocks && (claimed <= Capacity || _classBytes[(int)priority] + bytes <= reserve);
    }

    private long SumBytes()
    {
        var sum = 0L;
        foreach (var bytes in _classBytes)
        {
            sum += bytes;
        }

        return sum;
    }

    public void Dispose()
    {
        lock (_gate)
        {
            if (!_disposed)
            {
                _disposed = true;
                _pool.Dispose();
            }
        }
    }
}
