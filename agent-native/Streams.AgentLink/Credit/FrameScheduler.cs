using Streams.Wire;

namespace Streams.AgentLink.Credit;

/// <summary>
/// Which class sends the next frame. Control and response go first, strictly; the others share by weighted deficit round robin (alert 8,
/// event 4,
/// metric 2, bulk 1), so that a saturated class cannot starve the ones below it. A frame may overdraw its class's deficit by less than
/// itself, which
/// the following rounds take back: shares are exact over time whatever the frame sizes are. Not thread-safe.
/// </summary>
internal sealed class FrameScheduler
{
    /// <summary>Bytes per round for a weight of 1; the protocol's smallest grant.</summary>
    private const int Quantum = Limits.MinGrantBytes;
    private const int FirstShared = (int)LaneClass.Alert;

    private readonly long[] _deficit = new long[Limits.LaneClasses];
    private int _turn = FirstShared;

    private static ReadOnlySpan<byte> Weights => [0, 0, 8, 4, 2, 1];

    /// <summary>The class to send from, -1 when none is eligible.</summary>
    /// <param name="eligible">Per class: it has a frame that its credit covers.</param>
    internal int Pick(ReadOnlySpan<bool> eligible)
    {
        for (var i = 0; i < FirstShared; i++)
        {
            if (eligible[i])
            {
                return i;
            }
        }

        if (eligible[FirstShared..].IndexOf(true) < 0)
        {
            return -1;
        }

        // A class without work keeps its debt but saves nothing up: a burst after silence has no claim to the past.
        for (var i = FirstShared; i < Limits.LaneClasses; i++)
        {
            if (!eligible[i])
            {
                _deficit[i] = Math.Min(_deficit[i], 0);
            }
        }

        while (true)
        {
            for (var step = 0; step < Limits.LaneClasses - FirstShared; step++)
            {
                if (eligible[_turn] && _deficit[_turn] > 0)
                {
                    return _turn;
                }

                _turn = _turn + 1 < Limits.LaneClasses ? _turn + 1 : FirstShared;
            }

            for (var i = FirstShared; i < Limits.LaneClasses; i++)
            {
                _deficit[i] += eligible[i] ? Quantum * Weights[i] : 0;
            }
        }
    }

    /// <summary>Largest frame that the class should send now.</summary>
    internal long Allowance(int laneClass) => laneClass < FirstShared ? Limits.MaxFrameBytes : Math.Max(_deficit[laneClass], Quantum);

    internal void Sent(int laneClass, int frameBytes)
    {
        if (laneClass >= FirstShared)
        {
            _deficit[laneClass] -= frameBytes;
        }
    }
}
