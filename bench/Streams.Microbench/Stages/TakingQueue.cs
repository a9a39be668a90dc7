using Streams.Gateway.Queueing;
using Streams.Queue;

namespace Streams.Microbench.Stages;

/// <summary>Where the measured cut ends: a queue that has every message as soon as it is handed over.</summary>
internal sealed class TakingQueue(PartitionOutlet outlet, Action taken) : IPartitionQueue
{
    public int InFlight => 0;

    public ValueTask SendAsync(string agentId, MessageHeaders headers, ReadOnlyMemory<byte> payload, object state, CancellationToken cancel)
    {
        outlet.OnResult(PublishOutcome.Acknowledged, state);
        taken();
        return ValueTask.CompletedTask;
    }

    public Task DrainAsync(CancellationToken cancel) => Task.CompletedTask;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
