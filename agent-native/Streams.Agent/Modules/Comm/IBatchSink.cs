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

    /// <summary>Waits until there may be room again. False on timeout.</summary>
    bool WaitForRoom(TimeSpan timeout);
}
