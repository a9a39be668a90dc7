using Streams.Queue;

namespace Streams.Gateway.Queueing;

/// <summary>Streams.Queue's publisher as an outlet's queue.</summary>
internal sealed class PublisherQueue(Publisher publisher) : IPartitionQueue
{
    public int InFlight => publisher.InFlight;

    public static async Task<PublisherQueue> OpenAsync(
        QueueConnection connection, PartitionOutlet outlet, PublisherOptions options, CancellationToken cancel) =>
        new(await Publisher.OpenAsync(connection, outlet.Partition, options, result => outlet.OnResult(result.Outcome, result.State), cancel).ConfigureAwait(false));

    public async ValueTask SendAsync(string agentId, MessageHeaders headers, ReadOnlyMemory<byte> payload, object state, CancellationToken cancel) =>
        await publisher.PublishAsync(agentId, headers, payload, state, cancel).ConfigureAwait(false);

    public Task DrainAsync(CancellationToken cancel) => publisher.DrainAsync(cancel);

    public ValueTask DisposeAsync() => publisher.DisposeAsync();
}
