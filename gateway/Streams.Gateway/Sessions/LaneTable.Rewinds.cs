using Streams.Queue;
using Streams.Schema;
using Streams.Wire.Messages;

namespace Streams.Gateway.Sessions;

/// <summary>
/// Lanes that go back, and lanes that wait. A rewind lowers the mark: what comes above it is dropped until the agent obeys, and what was
/// passed on before it is dropped where it still is (<see cref="IsCurrent"/>), because the worker would only drop it too. Each rewind
/// begins a new sending of the lane, whose number is in the ids of its messages: under their first ids the queue's duplicate window would
/// swallow them.
/// </summary>
internal sealed partial class LaneTable
{
    /// <summary>
    /// How long nothing of a lane may have moved before the question, or an answer that the worker waits for n is not meant: what was
    /// passed on later may not have reached it, and a later watermark may have overtaken the answer.
    /// </summary>
    internal const long QuietMilliseconds = 1000;

    /// <summary>A rewind or a hold waits to be told.</summary>
    public bool HasOrders => Volatile.Read(ref _rewinds) != 0 || Volatile.Read(ref _holds) != 0;

    public bool HasRewinds => Volatile.Read(ref _rewinds) != 0;

    public bool HasHolds => Volatile.Read(ref _holds) != 0;

    /// <summary>
    /// The worker expects batch <paramref name="n"/> next. True when the lane goes back to it; false when it is there already, or is not
    /// sent in this session.
    /// </summary>
    /// <param name="now"><see cref="Environment.TickCount64"/>.</param>
    /// <param name="asked">When the question was asked whose answer this is; null when the worker said it by itself, having seen a later
    /// batch.</param>
    public bool Rewind(Epoch epoch, uint lane, uint n, long now, long? asked = null)
    {
        lock (_gate)
        {
            var index = Find(epoch, lane);
            if (index < 0)
            {
                return false;
            }

            ref var entry = ref _lanes[index];
            if (n >= entry.Expected || entry.MovedAt > asked - QuietMilliseconds)
            {
                return false;
            }

            entry.Seen = true;
            entry.Next = n;
            entry.Resend = ++_resends;
            // Below what was committed: those rows are gone, and the worker's word counts.
            if (entry.Committed > n)
            {
                entry.Committed = n;
                entry.Dirty = false;
            }

            entry.ToldAt = 0;
            Tell(ref entry, ref entry.TellRewind, ref _rewinds, now);
            return true;
        }
    }

    /// <summary>
    /// The worker cannot store batch <paramref name="n"/> yet: the lane waits for the next session. True when that is new.
    /// </summary>
    public bool Hold(Epoch epoch, uint lane, uint n, long now)
    {
        lock (_gate)
        {
            var index = Find(epoch, lane);
            if (index < 0)
            {
                if (!HasRoom())
                {
                    return false;
                }

                index = Add(epoch, lane);
            }

            ref var entry = ref _lanes[index];
            if (entry.Held && entry.HeldAt == n)
            {
                return false;
            }

            entry.Held = true;
            entry.HeldAt = n;
            entry.ToldAt = 0;
            Tell(ref entry, ref entry.TellHold, ref _holds, now);
            return true;
        }
    }

    /// <summary>Open lanes that an answer does not name; none when it names as many as it can.</summary>
    public IReadOnlyList<(Epoch Epoch, uint Lane, uint Committed)> Unnamed(IReadOnlyList<FlowRecord> answer)
    {
        var named = answer.Where(record => !record.IsCaughtUp).Select(record => (record.Epoch, record.Lane)).ToHashSet();
        if (named.Count >= FlowRecord.MaxAnswerLanes)
        {
            return [];
        }

        var unnamed = new List<(Epoch, uint, uint)>();
        lock (_gate)
        {
            for (var i = 0; i < _count; i++)
            {
                if (_lanes[i] is { IsOpen: true, Held: false } lane && !named.Contains((lane.Epoch, lane.Number)))
                {
                    unnamed.Add((lane.Epoch, lane.Number, lane.Committed));
                }
            }
        }

        return unnamed;
    }

    /// <summary>Whether what was admitted as this sending of the lane is still wanted.</summary>
    public bool IsCurrent(Epoch epoch, uint lane, uint resend)
    {
        lock (_gate)
        {
            var index = Find(epoch, lane);
            // A lane that was forgotten had nothing in flight.
            return index < 0 || _lanes[index].Resend == resend;
        }
    }

    /// <summary>Takes the rewinds that wait; what does not fit waits on.</summary>
    public int TakeRewinds(Span<LaneWatermark> rewinds)
    {
        lock (_gate)
        {
            var count = 0;
            var left = 0;
            for (var i = 0; i < _count; i++)
            {
                ref var lane = ref _lanes[i];
                if (lane.TellRewind && count == rewinds.Length)
                {
                    left = 1;
                }
                else if (lane.TellRewind)
                {
                    // Where it stands now: it may have come meanwhile, or been committed.
                    rewinds[count++] = new LaneWatermark(ToNumber(lane.Epoch), lane.Number, lane.Expected);
                    lane.TellRewind = false;
                }
            }

            Volatile.Write(ref _rewinds, left);
            return count;
        }
    }

    /// <summary>Takes the holds that wait; what does not fit waits on.</summary>
    public int TakeHolds(Span<LaneWatermark> holds)
    {
        lock (_gate)
        {
            var count = 0;
            var left = 0;
            for (var i = 0; i < _count; i++)
            {
                ref var lane = ref _lanes[i];
                if (lane.TellHold && count == holds.Length)
                {
                    left = 1;
                }
                else if (lane.TellHold)
                {
                    holds[count++] = new LaneWatermark(ToNumber(lane.Epoch), lane.Number, lane.HeldAt);
                    lane.TellHold = false;
                }
            }

            Volatile.Write(ref _holds, left);
            return count;
        }
    }

    /// <summary>Notes that the agent must be told, once, and again only after a while.</summary>
    private static void Tell(ref Lane lane, ref bool wanted, ref int any, long now)
    {
        if (lane.ToldAt == 0 || now - lane.ToldAt >= RepeatMilliseconds)
        {
            lane.ToldAt = now;
            wanted = true;
            Volatile.Write(ref any, 1);
        }
    }
}
