using Streams.AgentLink;
using Streams.Schema;

namespace Streams.Agent.Modules.Comm;

/// <summary>Where producers put closed batches. Thread-safe.</summary>
internal interface IBatchSink
{
    /// <summary>
    /// The compressor for all builders: batches are sealed one at a time (under the link's lock), so one context of 0.6 MB serves every thread.
    /// </summary>
    BatchCompressor Compressor { get; }

    /// <summary>False when what is kept for re-sending has reached its bound: producers stop reading and sampling until it is true again.</summary>
    bool HasRoom { get; }

    /// <summary>Names, seals and keeps the batch, and resets the builder. False when there is no room: the builder is unchanged.</summary>
    bool TrySend(BatchBuilder builder, in BatchStamp stamp);

    /// <summary>Share of the room of the class that kept batches use, 0 to 1: the pressure that raises shedding.</summary>
    double FillOf(PriorityClass priority);

    /// <summary>Tells of what is kept from before this process, in the order of lanes and n; call it within two minutes
    /// of the start.</summary>
    void VisitSpooled(SpooledEntryVisitor visitor);

    /// <summary>Waits until there may be room again. False on timeout.</summary>
    bool WaitForRoom(TimeSpan timeout);
}
