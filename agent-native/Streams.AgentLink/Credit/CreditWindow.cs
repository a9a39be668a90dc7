using Streams.Wire;

namespace Streams.AgentLink.Credit;

/// <summary>
/// What a session may send: an absolute offset per lane class, in bytes of data frames with header and tag. Starts at 0. Written by the
/// receive loop, read and used by the send loop.
/// </summary>
internal sealed class CreditWindow
{
    private readonly ulong[] _granted = new ulong[Limits.LaneClasses];
    private readonly ulong[] _sent = new ulong[Limits.LaneClasses];

    /// <summary>Bytes that the class may still send.</summary>
    internal long Available(int laneClass) => (long)Math.Min(Volatile.Read(ref _granted[laneClass]) - _sent[laneClass], long.MaxValue);

    internal ulong Granted(int laneClass) => Volatile.Read(ref _granted[laneClass]);

    /// <summary>Bytes sent in this session.</summary>
    internal ulong Sent(int laneClass) => _sent[laneClass];

    /// <summary>Takes the gateway's offsets over; a lower one is a repeat and ignored.</summary>
    internal void Grant(ReadOnlySpan<ulong> offsets)
    {
        for (var i = 0; i < Limits.LaneClasses; i++)
        {
            if (offsets[i] > _granted[i])
            {
                Volatile.Write(ref _granted[i], offsets[i]);
            }
        }
    }

    internal void Use(int laneClass, int frameBytes)
    {
        if (frameBytes > Available(laneClass))
        {
            throw new InvalidOperationException($"class {laneClass}: a frame of {frameBytes} bytes above the credit");
        }

        _sent[laneClass] += (ulong)frameBytes;
    }
}
