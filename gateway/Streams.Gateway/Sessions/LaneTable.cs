using Streams.Gateway.Ingest;
using Streams.Schema;

namespace Streams.Gateway.Sessions;

/// <summary>
/// What the gateway knows of an agent's lanes in this session: up to where they are committed (from the worker), up to where they came, and
/// from where they are to come again. Only an optimisation and a memory for watermarks: the worker alone admits. The lanes are those of all
/// the agent's processes whose spool is not empty, not only of the one that said `ready`. At most 1,024 lanes, 64 of them open.
/// Thread-safe; nothing for a session without data.
/// </summary>
internal sealed partial class LaneTable
{
    /// <summary>
    /// While frames come that the agent should not send, it is told again this often: what was on its way when it was told arrives within
    /// less.
    /// </summary>
    internal const long RepeatMilliseconds = 5000;

    private struct Lane
    {
        public Epoch Epoch;
        public uint Number;

        /// <summary>Next n that this session has not passed on; meaningful when <see cref="Seen"/>.</summary>
        public uint Next;
        public uint Committed;

        /// <summary>The worker cannot store this n yet; meaningful when <see cref="Held"/>.</summary>
        public uint HeldAt;

        /// <summary>The value of <see cref="_resends"/> when the lane last began to be sent again.</summary>
        public uint Resend;

        /// <summary>When a frame of it was last passed on, or its watermark moved.</summary>
        public long MovedAt;

        /// <summary>When the agent was last told to send it again, or no more; 0 once it did.</summary>
        public long ToldAt;
        public bool Seen;
        public bool Dirty;

        /// <summary>The worker named it: only then it has a watermark to repeat.</summary>
        public bool Known;
        public bool Held;

        /// <summary>A rewind, or a hold, waits to be told.</summary>
        public bool TellRewind;
        public bool TellHold;

        /// <summary>Where it is to go on: what is committed need not come, though it was asked for.</summary>
        public readonly uint Expected => Seen ? Math.Max(Next, Committed) : Committed;

        public readonly bool IsOpen => Seen && Next > Committed;
    }

    private readonly Lock _gate = new();
    private Lane[] _lanes = [];
    private int _count;
    private int _dirty;
    private uint _resends;
    private int _rewinds;
    private int _holds;

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

    /// <summary>True while something was passed on whose commit is not known: then it is worth asking the worker again.</summary>
    public bool HasUncommitted
    {
        get
        {
            lock (_gate)
            {
                for (var i = 0; i < _count; i++)
                {
                    if (_lanes[i].IsOpen)
                    {
                        return true;
                    }
                }

                return false;
            }
        }
    }

    /// <summary>Judges the batches <paramref name="first"/>..<paramref name="last"/> of a lane, and notes them when they go on.</summary>
    /// <param name="now"><see cref="Environment.TickCount64"/>.</param>
    /// <param name="resend">Which sending of the lane they belong to: part of the message's id.</param>
    public FrameFate Admit(Epoch epoch, uint lane, uint first, uint last, long now, out uint resend)
    {
        lock (_gate)
        {
            resend = 0;
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
            if (entry.Held && last >= entry.HeldAt)
            {
                Tell(ref entry, ref entry.TellHold, ref _holds, now);
                return FrameFate.Held;
            }

            if (last < entry.Expected)
            {
                return FrameFate.Duplicate;
            }

            // In a session a lane is sent without holes; where it begins is the worker's to judge.
            if (entry.Seen && first > entry.Expected)
            {
                Tell(ref entry, ref entry.TellRewind, ref _rewinds, now);
                return FrameFate.Gap;
            }

            entry.Seen = true;
            entry.Next = last == uint.MaxValue ? last : last + 1;
            entry.MovedAt = now;
            entry.ToldAt = 0;
            resend = entry.Resend;
            return FrameFate.Stored;
        }
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
            open += _lanes[i].IsOpen ? 1 : 0;
        }

        return open;
    }

    /// <summary>Room for one more lane; false when all are open, of which there are 64 at most.</summary>
    private bool HasRoom() => _count < Wire.Limits.MaxWatermarks || Evict();

    private int Add(Epoch epoch, uint lane)
    {
        if (!HasRoom())
        {
            throw new InvalidOperationException("more open lanes than a session may have");
        }

        if (_count == _lanes.Length)
        {
            Array.Resize(ref _lanes, Math.Max(2, _lanes.Length * 2));
        }

        // The session's count, not 0: a lane that was sent again, forgotten, and comes once more must not use its first ids.
        _lanes[_count] = new Lane { Epoch = epoch, Number = lane, Resend = _resends };
        return _count++;
    }

    /// <summary>
    /// Forgets the oldest lane with nothing in flight; the worker still knows it, and says again what the agent has to be told of it.
    /// </summary>
    private bool Evict() => Evict(idle: true) || Evict(idle: false);

    private bool Evict(bool idle)
    {
        for (var i = 0; i < _count; i++)
        {
            if (!_lanes[i].IsOpen && !(idle && (_lanes[i].Held || _lanes[i].TellRewind)))
            {
                Array.Copy(_lanes, i + 1, _lanes, i, _count - i - 1);
                _count--;
                return true;
            }
        }

        return false;
    }
}
