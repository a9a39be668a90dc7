using System.Buffers.Binary;
using Streams.Schema;
using Streams.Wire.Messages;

namespace Streams.Gateway.Sessions;

internal sealed partial class LaneTable
{
    /// <summary>True when a watermark moved since it was last written.</summary>
    public bool HasNews => Volatile.Read(ref _dirty) != 0;

    /// <summary>The worker says how many batches of a lane are committed. A lower number than known is an old message.</summary>
    /// <param name="now"><see cref="Environment.TickCount64"/>.</param>
    public void Commit(Epoch epoch, uint lane, uint committed, long now)
    {
        lock (_gate)
        {
            var index = Find(epoch, lane);
            if (index < 0)
            {
                if (!HasRoom())
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
                entry.MovedAt = now;
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
}
