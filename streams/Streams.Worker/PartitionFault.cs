namespace Streams.Worker;

/// <summary>Why a partition's pipeline ended: the queue is not what it was, the lease is gone. Recovery decides what follows.</summary>
internal sealed class PartitionFault(string reason) : Exception(reason);
