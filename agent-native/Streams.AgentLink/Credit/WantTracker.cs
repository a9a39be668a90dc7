using Streams.AgentLink.Lanes;
using Streams.Wire;
using Streams.Wire.Messages;

namespace Streams.AgentLink.Credit;

/// <summary>
/// Decides when `want` is worth a frame: when a class has more to send than it may, and what the gateway was told last no longer says so.
/// Used by the
/// send loop alone.
/// </summary>
internal sealed class WantTracker
{
    /// <summary>The gateway is told again when the backlog has grown by this much: often enough to keep its grants ahead, rarely enough
    /// to be no traffic.</summary>
    private const int Step = 32 * 1024;

    private readonly ulong[] _target = new ulong[Limits.LaneClasses];
    private readonly int[] _next = new int[Limits.LaneClasses];

    /// <summary>Fills <paramref name="wants"/>; true when it should be sent now.</summary>
    /// <param name="force">Send whenever anything waits for credit (with a heartbeat: heals whatever was forgotten).</param>
    internal bool Update(ReadOnlySpan<LaneTable.Backlog> backlogs, CreditWindow credit, bool force, Span<ClassWant> wants)
    {
        var due = false;
        for (var i = 0; i < Limits.LaneClasses; i++)
        {
            var backlog = backlogs[i];
            wants[i] = new ClassWant((uint)backlog.NextFrameBytes, (uint)Math.Min(backlog.QueuedBytes, uint.MaxValue));
            if (backlog.NextFrameBytes == 0)
            {
                continue;
            }

            var granted = credit.Granted(i);
            var target = credit.Sent(i) + (ulong)backlog.QueuedBytes;
            if (target > granted)
            {
                due |= force || _target[i] <= granted || target >= _target[i] + Step || backlog.NextFrameBytes > _next[i];
            }
        }

        if (due)
        {
            for (var i = 0; i < Limits.LaneClasses; i++)
            {
                _target[i] = credit.Sent(i) + wants[i].QueuedBytes;
                _next[i] = (int)wants[i].NextFrameBytes;
            }
        }

        return due;
    }
}
