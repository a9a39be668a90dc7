using Streams.AgentLink.Retention;
using Streams.Schema;

namespace Streams.AgentLink.Lanes;

/// <summary>One lane: batches n = 0, 1, 2 ... of one priority class, in order. Guarded by its table's lock.</summary>
internal sealed class Lane(uint number, PriorityClass priority, BlockPool pool)
{
    internal uint Number { get; } = number;

    internal PriorityClass Priority { get; } = priority;

    internal LaneLog Log { get; } = new(pool);

    /// <summary>No longer the lane that live data is appended to.</summary>
    internal bool Sealed { get; set; }

    /// <summary>The server expects batches that were freed: nothing is sent until the next F0 says otherwise.</summary>
    internal bool Parked { get; set; }

    /// <summary>n of the next batch to put into a frame of this session.</summary>
    internal uint NextToSend { get; set; }

    /// <summary>One more than the highest n ever sent, to count what is sent again.</summary>
    internal uint EverSent { get; set; }

    internal bool HasWork => !Parked && NextToSend < Log.Next;
}
