using Streams.Schema;
using Streams.Wire.Frames;
using Streams.Wire.Messages;

namespace Streams.AgentLink.Lanes;

/// <summary>What the send and receive loops of a session need.</summary>
internal sealed partial class LaneTable
{
    /// <summary>What a class has to send now.</summary>
    /// <param name="NextFrameBytes">Its smallest possible next frame; 0 = nothing to send.</param>
    /// <param name="QueuedBytes">All that waits, as frame bytes, about.</param>
    internal readonly record struct Backlog(int NextFrameBytes, long QueuedBytes);

    internal void Peek(Span<Backlog> backlogs)
    {
        lock (_gate)
        {
            for (var i = 0; i < Classes; i++)
            {
                var next = Choose((PriorityClass)i, turn: _turn[i]);
                backlogs[i] = next is null ? default
                    : new Backlog(FrameBytes(next.Log.LengthOf(next.NextToSend)), QueuedFrameBytes((PriorityClass)i));
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
            if (room <= 0 || Choose(priority, _turn[(int)priority]) is not { } lane || lane.Log.LengthOf(lane.NextToSend) > room)
            {
                return 0;
            }

            var length = lane.Log.CopyFrom(lane.NextToSend, plaintext[..room], out var count);
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

    /// <summary>Takes F0's state over: frees what is committed and goes back to the first batch that is not. Gives the lanes that
    /// regressed.</summary>
    internal int Resume(IReadOnlyList<LaneWatermark> watermarks)
    {
        lock (_gate)
        {
            foreach (var lane in _lanes)
            {
                lane.Parked = false;
                lane.NextToSend = lane.Log.First;
            }

            var regressed = 0;
            for (var i = 0; i < watermarks.Count; i++)
            {
                var watermark = watermarks[i];
                if (watermark.Epoch != _epochNumber || Find(watermark.Lane) is not { } lane)
                {
                    continue;
                }

                if (watermark.Committed < lane.Log.First)
                {
                    lane.Parked = true;
                    regressed++;
                }

                Release(lane, watermark.Committed);
            }

            return regressed;
        }
    }

    /// <summary>Frees what is committed. False when the gateway names batches that do not exist.</summary>
    internal bool Release(ReadOnlySpan<LaneWatermark> watermarks, out bool freed)
    {
        freed = false;
        lock (_gate)
        {
            foreach (var watermark in watermarks)
            {
                if (watermark.Epoch != _epochNumber || Find(watermark.Lane) is not { } lane)
                {
                    // Another process's lanes, or a lane that is wholly committed and forgotten: nothing to free.
                    continue;
                }

                if (watermark.Committed > lane.EverSent)
                {
                    return false;
                }

                freed |= Release(lane, watermark.Committed);
            }
        }

        return true;
    }

    private bool Release(Lane lane, uint committed)
    {
        var before = lane.Log.Bytes;
        var released = lane.Log.Release(Math.Min(committed, lane.EverSent));
        if (released == 0)
        {
            return false;
        }

        _classBytes[(int)lane.Priority] -= before - lane.Log.Bytes;
        Committed += (ulong)released;
        lane.NextToSend = Math.Max(lane.NextToSend, lane.Log.First);
        if (lane.Sealed && lane.Log.Bytes == 0)
        {
            _lanes.Remove(lane);
        }

        return true;
    }

    private Lane? Find(uint number)
    {
        foreach (var lane in _lanes)
        {
            if (lane.Number == number)
            {
                return lane;
            }
        }

        return null;
    }

    /// <summary>Live data first; when there is backlog too, every fourth frame is from the oldest sealed lane.</summary>
    private Lane? Choose(PriorityClass priority, int turn)
    {
        var live = _open[(int)priority] is { HasWork: true } open ? open : null;
        if (live is not null && turn != BacklogTurn - 1)
        {
            return live;
        }

        foreach (var lane in _lanes)
        {
            if (lane.Priority == priority && lane.Sealed && lane.HasWork)
            {
                return lane;
            }
        }

        return live;
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
