using System.Collections.Concurrent;
using Streams.Testing;

namespace Streams.Queue.Tests;

public sealed class PublisherTests
{
    [Fact]
    public async Task Stored_then_duplicate_then_next_generation_is_stored()
    {
        await using var nats = await NatsProcess.StartAsync();
        await using var worker = await nats.OpenAsync(QueueRole.Worker);
        await Topology.CreateAsync(worker, Servers.Small());
        await using var gateway = await nats.OpenAsync(QueueRole.Gateway);

        var first = await Messages.PublishOneAsync(gateway, Messages.Headers(0), [1, 2, 3]);
        Assert.Equal((PublishOutcome.Acknowledged, 1UL, 3), (first.Outcome, first.Sequence, first.Bytes));
        Assert.Equal(PublishOutcome.Duplicate, (await Messages.PublishOneAsync(gateway, Messages.Headers(0), [1, 2, 3])).Outcome);
        Assert.Equal(
            PublishOutcome.Acknowledged, (await Messages.PublishOneAsync(gateway, Messages.Headers(0, generation: 2), [1, 2, 3])).Outcome);
    }

    [Fact]
    public async Task Full_queue_is_a_result_and_drains()
    {
        await using var nats = await NatsProcess.StartAsync(1);
        await using var worker = await nats.OpenAsync(QueueRole.Worker);
        await Topology.CreateAsync(worker, Servers.Small(1, 1L << 20));
        await using var gateway = await nats.OpenAsync(QueueRole.Gateway);
        var results = new ConcurrentQueue<PublishResult>();
        await using var publisher = await Publisher.OpenAsync(gateway, 0, new PublisherOptions(), results.Enqueue);
        var payload = new byte[64 * 1024];
        for (uint n = 0; n < 32; n++)
            await publisher.PublishAsync("agent-1", Messages.Headers(n), payload);
        await publisher.DrainAsync();
        Assert.Contains(results, result => result.Outcome == PublishOutcome.QueueFull);
        var stored = results.Where(result => result.Outcome == PublishOutcome.Acknowledged).ToList();
        Assert.InRange(stored.Count, 10, 16);

        // The commit path is not taken along: the worker's own bucket is writable, and a purge makes room.
        var offsets = await OffsetStore.OpenAsync(worker);
        Assert.NotNull(await offsets.TryWriteAsync(0, new OffsetRecord(DateTimeOffset.UtcNow, 5), 0));
        await using var reader = PartitionReader.Start(worker, 0, 1);
        using (await reader.ReadAsync())
            await reader.PurgeAsync(stored[^1].Sequence);
        Assert.Equal(PublishOutcome.Acknowledged, (await Messages.PublishOneAsync(gateway, Messages.Headers(900), payload)).Outcome);
    }

    [Fact]
    public async Task Window_bounds_messages_and_bytes()
    {
        await using var nats = await NatsProcess.StartAsync();
        await using var worker = await nats.OpenAsync(QueueRole.Worker);
        await Topology.CreateAsync(worker, Servers.Small());
        await using var gateway = await nats.OpenAsync(QueueRole.Gateway);
        var most = 0;
        var results = 0;
        Publisher? publisher = null;
        await using (publisher = await Publisher.OpenAsync(
            gateway, 0, new PublisherOptions { WindowMessages = 8, WindowBytes = 20_000 }, _ => Interlocked.Increment(ref results)))
        {
            for (uint n = 0; n < 500; n++)
            {
                await publisher.PublishAsync("agent-1", Messages.Headers(n), new byte[6000]);
                most = Math.Max(most, publisher.InFlight);
            }

            await publisher.DrainAsync();
        }

        Assert.InRange(most, 1, 3);
        Assert.Equal(500, results);
    }

    [Fact]
    public async Task Paused_server_makes_all_ambiguous_in_order_and_blocks_no_longer_than_the_timeout()
    {
        await using var nats = await NatsProcess.StartAsync();
        await using var worker = await nats.OpenAsync(QueueRole.Worker);
        await Topology.CreateAsync(worker, Servers.Small());
        await using var gateway = await nats.OpenAsync(QueueRole.Gateway);
        var results = new ConcurrentQueue<PublishResult>();
        await using var publisher = await Publisher.OpenAsync(
            gateway, 0, new PublisherOptions { AcknowledgeTimeout = TimeSpan.FromMilliseconds(500) }, results.Enqueue);
        await publisher.PublishAsync("agent-1", Messages.Headers(0), new byte[10]);
        await publisher.DrainAsync();

        nats.Pause();
        try
        {
            for (uint n = 1; n <= 20; n++)
                await publisher.PublishAsync("agent-1", Messages.Headers(n), new byte[10], state: n);
            await Eventually.TrueAsync(() => results.Count == 21, "all results came");
        }
        finally
        {
            nats.Resume();
        }

        Assert.All(results.Skip(1), result => Assert.Equal(PublishOutcome.Ambiguous, result.Outcome));
        Assert.Equal(Enumerable.Range(0, 21).Select(ticket => (ulong)ticket), results.Select(result => result.Ticket));
        Assert.Equal(7U, results.ElementAt(7).State);

        // Late answers belong to nobody; the next message gets its own.
        await publisher.PublishAsync("agent-1", Messages.Headers(21), new byte[10]);
        await publisher.DrainAsync();
        Assert.Equal((22, PublishOutcome.Acknowledged), (results.Count, results.Last().Outcome));
    }

    [Fact]
    public async Task Too_large_and_no_stream_are_refused()
    {
        await using var nats = await NatsProcess.StartAsync();
        await using var worker = await nats.OpenAsync(QueueRole.Worker);
        await Topology.CreateAsync(worker, Servers.Small(1));
        await using var gateway = await nats.OpenAsync(QueueRole.Gateway);
        Assert.Equal(PublishOutcome.Refused, (await Messages.PublishOneAsync(gateway, Messages.Headers(0), new byte[1 << 20])).Outcome);
        Assert.Equal(PublishOutcome.Refused, (await Messages.PublishOneAsync(gateway, Messages.Headers(0), [1], partition: 3)).Outcome);
    }

    [Fact]
    public async Task Kill_9_makes_what_is_under_way_ambiguous_and_publishing_goes_on_after_the_restart()
    {
        await using var nats = await NatsProcess.StartAsync();
        await using var worker = await nats.OpenAsync(QueueRole.Worker);
        await Topology.CreateAsync(worker, Servers.Small());
        await using var gateway = await nats.OpenAsync(QueueRole.Gateway);
        var results = new ConcurrentQueue<PublishResult>();
        await using var publisher = await Publisher.OpenAsync(gateway, 0, new PublisherOptions(), results.Enqueue);
        using var stop = new CancellationTokenSource();
        uint n = 0;
        var load = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
                await publisher.PublishAsync("agent-1", Messages.Headers(n++), new byte[2000]);
        });
        await Eventually.TrueAsync(() => results.Count > 500, "messages flow");
        await nats.KillAsync();
        await nats.RestartAsync();
        var after = results.Count;
        await Eventually.TrueAsync(() =>
            results.Skip(after).Any(result => result.Outcome == PublishOutcome.Acknowledged), "messages flow again");
        await stop.CancelAsync();
        await load;
        await publisher.DrainAsync();
        Assert.Equal((int)n, results.Count);
        Assert.Equal(Enumerable.Range(0, (int)n).Select(ticket => (ulong)ticket), results.Select(result => result.Ticket));
    }
}
