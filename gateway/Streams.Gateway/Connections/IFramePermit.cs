using Streams.Wire;

namespace Streams.Gateway.Connections;

/// <summary>Decides whether there is credit for a data frame whose header has come.</summary>
internal interface IFramePermit
{
    /// <summary>Takes the frame's bytes from the session's credit.</summary>
    bool TrySpend(LaneClass laneClass, int bytes);

    /// <summary>Whether credit that is not spent yet, of whatever class, covers so many bytes.</summary>
    bool Covers(int bytes);

    /// <summary>The frame did not come: its bytes go back to the pool.</summary>
    void Refund(int bytes);
}
