using Streams.Queue;

namespace Streams.Gateway.Queueing;

/// <summary>One partition of the queue, as its outlet needs it: Streams.Queue's Publisher, or a test's.</summary>
internal interface IPartitionQueue : IAsyncDisposable
{
    int InFlight { get; }

    /// <summary>Waits for room and a connection, then sends. The outcome comes to the callback given at opening, in the order of sending.</summary>
    ValueTask SendAsync(string agentId, MessageHeaders headers, ReadOnlyMemory<byte> payload, object state, CancellationToken cancel);

    /// <summary>Waits until everything that was sent has its outcome.</summary>
    Task DrainAsync(CancellationToken cancel);
}
