using System.Buffers.Binary;
using Streams.Gateway.Ingest;
using Streams.Schema;
using Streams.Wire.Messages;

namespace Streams.Gateway.Sessions;

/// <summary>
/// What the gateway knows of an agent's lanes: up to where they are committed (from the worker) and up to where they came in this session. Only an
/// optimisation and a memory for watermarks: the worker alone admits. Thread-safe; 32 bytes a lane, nothing for a session without data.
/// </summary>
internal sealed class LaneTable
{
    private struct Lane
    {
        public Epoch Epoch;
        public uint Number;

        /// <summary>Next n that this session has not passed on; meaningful when <see cref="Seen"/>.</summary>
        public uint Next;
        public uint Committed;
        public bool Seen;
        public bool Dirty;

        /// <summary>The worker named it: only then it has a watermark to repeat.</summary>
        public bool Known;
    }

    private readonly Lock _gate = new();
    private Lane[] _lanes = [];
    private int _count;
    private int _dirty;

    /// <summary>Lanes that are remembered.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _count;
            }
        }
    }

    /// <summary>True when a watermark moved since it was last written.</summary>
    public bool HasNews => Volatile.Read(ref _dirty) != 0;

    /// <summary>True while something was passed on whose commit is not known: then it is worth asking the worker again.</summary>
    public bool HasUncommitted
    {
        get
        {
            lock (_gate)
            {
                for (var i = 0; i < _count; i++)
                {
                    if (_lanes[i].Seen && _lanes[i].Next > _lanes[i].Committed)
                    {
                        return true;
                    }
                }

                return false;
            }
        }
    }

    /// <summary>Judges the batches <paramref name="first"/>..<paramref name="last"/> of a lane, and notes them when they go on.</summary>
    public FrameFate Admit(Epoch epoch, uint lane, uint first, uint last)
    {
        lock (_gate)
        {
            var index = Find(epoch, lane);
            if (index < 0)
            {
                if (OpenLanes() >= Wire.Limits.MaxOpenLanes)
                {
                    return FrameFate.TooManyLanes;
                }

                index = Add(epoch, lane);
            }

            ref var entry = ref _lanes[index];
            if (last < entry.Committed || (entry.Seen && last < entry.Next))
            {
                return FrameFate.Duplicate;
            }

            // In a session a lane is sent without holes; where it begins is the worker's to judge.
            if (entry.Seen && first > entry.Next)
            {
                return FrameFate.Gap;
            }

            entry.Seen = true;
            entry.Next = last == uint.MaxValue ? last : last + 1;
            return FrameFate.Stored;
        }
    }

    /// <summary>The worker says how many batches of a lane are committed. A lower number than known is an old message.</summary>
    public void Commit(Epoch epoch, uint lane, uint committed)
    {
        lock (_gate)
        {
            var index = Find(epoch, lane);
            if (index < 0)
            {
                if (_count >= Wire.Limits.MaxWatermarks && !Evict())
                {
                    return;
                }

                index = Add(epoch, lane);
            }

            ref var entry = ref _lanes[index];
            if (!entry.Known || committed > entry.Committed)
            {
                entry.Known = true;
                entry.Committed = committed;
                entry.Dirty = true;
                Volatile.Write(ref _dirty, 1);
            }
        }
    }

    /// <summary>What is known was told by other means.</summary>
    public void ForgetNews()
    {
        lock (_gate)
        {
            for (var i = 0; i < _count; i++)
            {
                _lanes[i].Dirty = false;
            }

            Volatile.Write(ref _dirty, 0);
        }
    }

    /// <summary>Copies watermarks: those that moved, or all; either way there is no news afterwards.</summary>
    /// <param name="watermarks">As many as fit are written; the others stay news.</param>
    public int Write(Span<LaneWatermark> watermarks, bool all)
    {
        lock (_gate)
        {
            var count = 0;
            var left = 0;
            for (var i = 0; i < _count; i++)
            {
                ref var lane = ref _lanes[i];
                if (lane.Known && (all || lane.Dirty) && count == watermarks.Length)
                {
                    left = 1;
                }
                else if (lane.Known && (all || lane.Dirty))
                {
                    watermarks[count++] = new LaneWatermark(ToNumber(lane.Epoch), lane.Number, lane.Committed);
                    lane.Dirty = false;
                }
            }

            Volatile.Write(ref _dirty, left);
            return count;
        }
    }

    internal static UInt128 ToNumber(Epoch epoch)
    {
        Span<byte> bytes = stackalloc byte[Epoch.Size];
        epoch.Write(bytes);
        return BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }

    private int Find(Epoch epoch, uint lane)
    {
        // From the end: the newest lanes carry the traffic.
        for (var i = _count - 1; i >= 0; i--)
        {
            if (_lanes[i].Number == lane && _lanes[i].Epoch == epoch)
            {
                return i;
            }
        }

        return -1;
    }

    private int OpenLanes()
    {
        var open = 0;
        for (var i = 0; i < _count; i++)
        {
            open += _lanes[i].Seen && _lanes[i].Next > _lanes[i].Committed ? 1 : 0;
        }

        return open;
    }

    private int Add(Epoch epoch, uint lane)
    {
        if (_count >= Wire.Limits.MaxWatermarks)
        {
            Evict();
        }

        if (_count == _lanes.Length)
        {
            Array.Resize(ref _lanes, Math.Max(2, _lanes.Length * 2));
        }

        _lanes[_count] = new Lane { Epoch = epoch, Number = lane };
        return _count++;
    }

    /// <summary>Forgets the oldest lane with nothing in flight; the worker still knows it.</summary>
    private bool Evict()
    {
        for (var i = 0; i < _count; i++)
        {
            if (!_lanes[i].Seen || _lanes[i].Next <= _lanes[i].Committed)
            {
                Array.Copy(_lanes, i + 1, _lanes, i, _count - i - 1);
                _count--;
                return true;
            }
        }

        return false;
    }
}
