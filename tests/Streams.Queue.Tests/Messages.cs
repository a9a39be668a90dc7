using System.Collections.Concurrent;
using Streams.Schema;

namespace Streams.Queue.Tests;

/// <summary>Makes ingest messages and collects results.</summary>
internal static class Messages
{
    public static readonly Epoch Epoch = Epoch.NewRandom();

    public static MessageHeaders Headers(uint first, uint lane = 1, uint count = 1, ulong generation = 1) => new()
    {
        Epoch = Epoch,
        Lane = lane,
        First = first,
        Count = count,
        Class = PriorityClass.Event,
        ReceivedAt = 1_700_000_000_000_000,
        Generation = generation,
        Catalogue = 1,
        Host = "host-1",
    };

    /// <summary>Publishes and waits for the one result.</summary>
    public static async Task<PublishResult> PublishOneAsync(
        QueueConnection gateway, MessageHeaders headers, byte[] payload, int partition = 0)
    {
        var results = new ConcurrentQueue<PublishResult>();
        await using var publisher = await Publisher.OpenAsync(gateway, partition, new PublisherOptions(), results.Enqueue);
        await publisher.PublishAsync("agent-1", headers, payload);
        await publisher.DrainAsync();
        return Assert.Single(results);
    }
}
