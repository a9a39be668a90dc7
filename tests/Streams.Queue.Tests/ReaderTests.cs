using System.Buffers.Binary;
using Streams.Testing;

namespace Streams.Queue.Tests;

public sealed class ReaderTests
{
    [Fact]
    public async Task Hundred_thousand_messages_come_in_order_with_a_bounded_read_ahead()
    {
        const int total = 100_000;
        await using var nats = await NatsProcess.StartAsync();
        await using var worker = await nats.OpenAsync(QueueRole.Worker);
        await Topology.CreateAsync(worker, Servers.Small());
        await using var gateway = await nats.OpenAsync(QueueRole.Gateway);
        var publish = Task.Run(() => PublishAsync(gateway, 0, total));
        await using var reader = PartitionReader.Start(worker, 0, 1, options: new ReaderOptions { PrefetchBytes = 1 << 20 });
        uint next = 0;
        while (next < total)
        {
            using var batch = await reader.ReadAsync(Deadline());
            Assert.Equal(ReadCondition.Messages, batch.Condition);
            foreach (var message in batch.Messages)
            {
                Assert.Equal(MessageHeaderFault.None, message.HeaderError.Fault);
                Assert.Equal((next, next + 1UL), (message.Headers.First, message.Sequence));
                Assert.Equal("agent-1", message.AgentId);
                Assert.Equal(next, BinaryPrimitives.ReadUInt32LittleEndian(message.Payload.Span));
                next++;
            }
        }

        await publish;
    }

    [Fact]
    public async Task Kill_9_and_restart_resumes_in_order()
    {
        await using var nats = await NatsProcess.StartAsync();
        await using var worker = await nats.OpenAsync(QueueRole.Worker);
        await Topology.CreateAsync(worker, Servers.Small());
        await using var gateway = await nats.OpenAsync(QueueRole.Gateway);
        await PublishAsync(gateway, 0, 5000);
        await using var reader = PartitionReader.Start(worker, 0, 1, options: new ReaderOptions { PrefetchMessages = 64 });
        var sequence = await ReadUntilAsync(reader, 0, 2000);

        await nats.KillAsync();
        await nats.RestartAsync();
        await PublishAsync(gateway, 5000, 1000);
        Assert.Equal(6000UL, await ReadUntilAsync(reader, sequence, 6000));

        // Idle: the reader waits on, and hears what comes later.
        await Task.Delay(TimeSpan.FromSeconds(1));
        await nats.KillAsync();
        await nats.RestartAsync();
        await PublishAsync(gateway, 6000, 10);
        Assert.Equal(6010UL, await ReadUntilAsync(reader, 6000, 6010));
    }

    [Fact]
    public async Task Hole_by_a_stranger_is_a_gap_and_our_own_purge_is_none()
    {
        await using var nats = await NatsProcess.StartAsync();
        await using var worker = await nats.OpenAsync(QueueRole.Worker);
        await Topology.CreateAsync(worker, Servers.Small());
        await using var gateway = await nats.OpenAsync(QueueRole.Gateway);
        await PublishAsync(gateway, 0, 100);

        await using (var own = PartitionReader.Start(worker, 0, 1))
        {
            await ReadUntilAsync(own, 0, 100);
            await own.PurgeAsync(60);
            await PublishAsync(gateway, 100, 1);
            Assert.Equal(101UL, await ReadUntilAsync(own, 100, 101));
        }

        await using var reader = PartitionReader.Start(worker, 0, 10);
        using (var gap = await reader.ReadAsync(Deadline()))
            Assert.Equal((ReadCondition.Gap, 10UL, 60UL), (gap.Condition, gap.GapFrom, gap.GapTo));
        Assert.Equal(101UL, await ReadUntilAsync(reader, 60, 101));
        await using var fromFirst = PartitionReader.Start(worker, 0, 0);
        Assert.Equal(101UL, await ReadUntilAsync(fromFirst, 60, 101));
    }

    [Fact]
    public async Task A_stream_made_anew_or_shortened_ends_the_reader()
    {
        await using var nats = await NatsProcess.StartAsync();
        await using var worker = await nats.OpenAsync(QueueRole.Worker);
        await Topology.CreateAsync(worker, Servers.Small());
        await using var gateway = await nats.OpenAsync(QueueRole.Gateway);
        await PublishAsync(gateway, 0, 10);
        await using var reader = PartitionReader.Start(worker, 0, 1);
        await ReadUntilAsync(reader, 0, 10);
        var created = reader.StreamCreated;

        await using (var ahead = PartitionReader.Start(worker, 0, 50))
        {
            using var batch = await ahead.ReadAsync(Deadline());
            Assert.Equal(ReadCondition.StreamReset, batch.Condition);
        }

        await nats.RestartAsync(wipe: true);
        using (var batch = await reader.ReadAsync(Deadline()))
            Assert.Equal(ReadCondition.StreamReset, batch.Condition);
        await Topology.CreateAsync(worker, Servers.Small());
        await PublishAsync(gateway, 0, 20);
        await using var stale = PartitionReader.Start(worker, 0, 11, created);
        using (var batch = await stale.ReadAsync(Deadline()))
            Assert.Equal(ReadCondition.StreamReset, batch.Condition);
    }

    [Fact]
    public async Task Slow_caller_bounds_what_is_read_ahead()
    {
        await using var nats = await NatsProcess.StartAsync(1);
        await using var worker = await nats.OpenAsync(QueueRole.Worker);
        await Topology.CreateAsync(worker, Servers.Small(1));
        await using var gateway = await nats.OpenAsync(QueueRole.Gateway);
        await PublishAsync(gateway, 0, 400, size: 64 * 1024);
        await using var reader = PartitionReader.Start(
            worker, 0, 1, options: new ReaderOptions { PrefetchBytes = 4 << 20, BatchMessages = 1000 });
        await Task.Delay(1500);
        using var batch = await reader.ReadAsync(Deadline());
        // Half of it waiting, two requests of a quarter each under way, and a message's worth of rounding.
        Assert.InRange(batch.Bytes, 1, (4 << 20) + (1 << 20));
        Assert.True(batch.Messages.Count < 100);
        Assert.InRange(reader.AheadBytes, batch.Bytes, (4 << 20) + (1 << 20));
    }

    private static CancellationToken Deadline() => new CancellationTokenSource(TimeSpan.FromSeconds(30)).Token;

    private static async Task PublishAsync(QueueConnection gateway, uint first, int count, int size = 100)
    {
        var stored = 0;
        await using var publisher = await Publisher.OpenAsync(gateway, 0, new PublisherOptions(), result =>
        {
            if (result.Outcome == PublishOutcome.Acknowledged)
                Interlocked.Increment(ref stored);
        });
        for (var n = first; n < first + count; n++)
        {
            var payload = new byte[size];
            BinaryPrimitives.WriteUInt32LittleEndian(payload, n);
            await publisher.PublishAsync("agent-1", Messages.Headers(n), payload);
        }

        await publisher.DrainAsync();
        Assert.Equal(count, stored);
    }

    private static async Task<ulong> ReadUntilAsync(PartitionReader reader, ulong last, ulong until)
    {
        while (last < until)
        {
            using var batch = await reader.ReadAsync(Deadline());
            Assert.Equal(ReadCondition.Messages, batch.Condition);
            foreach (var message in batch.Messages)
                Assert.Equal(++last, message.Sequence);
        }

        return last;
    }
}
