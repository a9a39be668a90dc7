using Streams.Schema;
using Streams.Wire.Frames;

namespace Streams.AgentLink.Lanes;

/// <summary>What the send and receive loops of a session need.</summary>
internal sealed partial class LaneTable
{
    /// <summary>What a class has to send now.</summary>
    /// <param name="NextFrameBytes">Its smallest possible next frame; 0 = nothing to send.</param>
    /// <param name="QueuedBytes">All that waits, as frame bytes, about.</param>
    internal readonly record struct Backlog(int NextFrameBytes, long QueuedBytes);

    private int _maxInFlight = Wire.Limits.MaxOpenLanes;

    internal void Peek(Span<Backlog> backlogs)
    {
        lock (_gate)
        {
            for (var i = 0; i < Classes; i++)
            {
                var next = Choose((PriorityClass)i, turn: _turn[i]);
                backlogs[i] = next is null ? default : new Backlog(FrameBytes(next.NextLength), QueuedFrameBytes((PriorityClass)i));
            }
        }
    }

    /// <summary>
    /// Copies as many whole batches of one lane of the class as fit into a frame of <paramref name="frameBytes"/> and pads them.
    /// </summary>
    /// <param name="plaintext">Where the frame's plaintext goes.</param>
    /// <returns>Length of the plaintext, a multiple of 256; 0 when nothing fits.</returns>
    internal int Take(PriorityClass priority, long frameBytes, Span<byte> plaintext)
    {
        var room = (int)Math.Min(Math.Min(frameBytes - FrameHeader.Overhead, plaintext.Length), Wire.Limits.MaxDataPlaintextBytes);
        room -= room % Wire.Limits.PaddingBytes;
        lock (_gate)
        {
            if (room <= 0 || Choose(priority, _turn[(int)priority]) is not { } lane || lane.NextLength > room)
            {
                return 0;
            }

            var length = lane.CopyNext(plaintext[..room], out var count);
            if (count == 0)
            {
                // It turned out to be damaged, and its tombstone has another length: the next look tells.
                return 0;
            }

            _turn[(int)priority] = (_turn[(int)priority] + 1) % BacklogTurn;
            var after = lane.NextToSend + (uint)count;
            if (lane.EverSent > lane.NextToSend)
            {
                Resent += Math.Min(after, lane.EverSent) - lane.NextToSend;
            }

            lane.NextToSend = after;
            lane.EverSent = Math.Max(lane.EverSent, after);
            var padded = DataPadding.PaddedLength(length);
            plaintext[length..padded].Clear();
            return padded;
        }
    }

    /// <summary>Live data first; when there is backlog too, every fourth frame is from the oldest sealed lane.</summary>
    private Lane? Choose(PriorityClass priority, int turn)
    {
        var inFlight = CountInFlight();
        var live = Ready(Open(priority, parks: false, onDisk: true)) ?? Ready(Open(priority, parks: false, onDisk: false));
        if (live is { InFlight: false } && inFlight >= _maxInFlight)
        {
            live = null;
        }

        if (live is not null && turn != BacklogTurn - 1)
        {
            return live;
        }

        // Live lanes always find a place: backlog leaves one for each class.
        var mayBegin = inFlight < Math.Max(1, _maxInFlight - Classes);
        foreach (var lane in _lanes)
        {
            if (lane.Priority == priority && lane.Sealed && (mayBegin || lane.InFlight) && Ready(lane) is not null)
            {
                return lane;
            }
        }

        return live;
    }

    /// <summary>The lane when it has something to send; one that cannot be read now is held until the next session.</summary>
    private static Lane? Ready(Lane? lane)
    {
        if (lane is not { HasWork: true })
        {
            return null;
        }

        lane.Held = lane.NextLength == 0;
        return lane.Held ? null : lane;
    }

    /// <summary>Lanes that the server has a part of in flight: it bounds them, so that backlog does not begin one after the
    /// other.</summary>
    private int CountInFlight()
    {
        var count = 0;
        foreach (var lane in _lanes)
        {
            count += lane.InFlight ? 1 : 0;
        }

        return count;
    }

    private long QueuedFrameBytes(PriorityClass priority)
    {
        var sum = 0L;
        foreach (var lane in _lanes)
        {
            if (lane.Priority == priority && lane.HasWork)
            {
                // Each frame is padded; that of small frames is what matters, so it is counted once per lane and per full frame.
                var bytes = lane.Log.BytesFrom(lane.NextToSend);
                sum += bytes + (bytes / Wire.Limits.MaxDataPlaintextBytes + 1) * (FrameHeader.Overhead + Wire.Limits.PaddingBytes);
            }
        }

        return sum;
    }

    private static int FrameBytes(int batchBytes) => DataPadding.PaddedLength(batchBytes) + FrameHeader.Overhead;
}
