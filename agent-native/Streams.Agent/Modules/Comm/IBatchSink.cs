using Streams.Schema;

namespace Streams.Agent.Modules.Comm;

/// <summary>Where producers put closed batches. Thread-safe.</summary>
internal interface IBatchSink
{
    /// <summary>False when what is kept for re-sending has reached its bound: producers stop reading and sampling until it is true again.</summary>
    bool HasRoom { get; }

    /// <summary>Names, seals and keeps the batch, and resets the builder. False when there is no room: the builder is unchanged.</summary>
    bool TrySend(BatchBuilder builder, in BatchStamp stamp);
}
