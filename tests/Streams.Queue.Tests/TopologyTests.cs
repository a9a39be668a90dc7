using Streams.Testing;

namespace Streams.Queue.Tests;

public sealed class TopologyTests
{
    [Fact]
    public async Task Twice_is_as_once_and_another_P_is_refused()
    {
        await using var nats = await NatsProcess.StartAsync();
        await using var worker = await nats.OpenAsync(QueueRole.Worker);
        await Topology.CreateAsync(worker, Servers.Small());
        await Topology.CreateAsync(worker, Servers.Small());

        await using var gateway = await nats.OpenAsync(QueueRole.Gateway);
        await Topology.CheckAsync(gateway, 4);
        var refused = await Assert.ThrowsAsync<QueueException>(() => Topology.CreateAsync(worker, Servers.Small(2)));
        Assert.Contains("partition 0 of 4", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refused.Message);
        await Assert.ThrowsAsync<QueueException>(() => Topology.CheckAsync(gateway, 2));
    }

    [Fact]
    public async Task Missing_topology_says_who_makes_it()
    {
        await using var nats = await NatsProcess.StartAsync();
        await using var gateway = await nats.OpenAsync(QueueRole.Gateway);
        var error = await Assert.ThrowsAsync<QueueException>(() => Topology.CheckAsync(gateway, 4));
        Assert.Contains("Start a worker", error.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<QueueException>(() => SessionStore.OpenAsync(gateway));
    }

    [Fact]
    public async Task Quotas_beyond_the_file_store_are_refused_in_words()
    {
        await using var nats = await NatsProcess.StartAsync(maxFileStore: 128L << 20);
        await using var worker = await nats.OpenAsync(QueueRole.Worker);
        var error = await Assert.ThrowsAsync<QueueException>(() => Topology.CreateAsync(worker, Servers.Small(4, 100L << 20)));
        Assert.Contains("max_file_store", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(64)]
    public async Task All_quotas_together_leave_the_file_store_its_room(int partitions)
    {
        // Streams.Local computes the ingest quota and may not see what the buckets are given here.
        await using var nats = await NatsProcess.StartAsync(partitions, maxFileStore: 1L << 30);
        await using var worker = await nats.OpenAsync(QueueRole.Worker);
        await Topology.CreateAsync(worker, new TopologyOptions { Partitions = partitions, IngestBytes = nats.Server.IngestQuota });
        await using var operation = await nats.OpenAsync(QueueRole.Operator);
        var quotas = new List<long>();
        await foreach (var stream in operation.JetStream.ListStreamsAsync())
            quotas.Add(stream.Info.Config.MaxBytes);
        Assert.Equal(partitions + 10, quotas.Count);
        Assert.All(quotas, quota => Assert.True(quota > 0));
        // Not above, and nothing given away either: a reserve that is too large would cost the agents' data its room.
        Assert.InRange(quotas.Sum(), (long)(0.69 * nats.Server.MaxFileStore), (long)(0.7 * nats.Server.MaxFileStore));
    }

    [Fact]
    public async Task A_wrong_key_is_refused_at_once()
    {
        await using var nats = await NatsProcess.StartAsync();
        using var stranger = NATS.NKeys.KeyPair.CreatePair(NATS.NKeys.PrefixByte.User);
        var error = await Assert.ThrowsAsync<QueueException>(() => QueueConnection.OpenAsync(new QueueOptions
        {
            Url = nats.Url,
            Role = QueueRole.Gateway,
            Seed = stranger.GetSeed(),
            Name = "stranger",
        }));
        Assert.DoesNotContain(stranger.GetSeed(), error.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void Partition_is_fnv_1a()
    {
        // Values of the FNV page (http://www.isthe.com/chongo/tech/comp/fnv): FNV-1a 64 of "a" is af63dc4c8601ec8c.
        Assert.Equal((int)(0xaf63dc4c8601ec8cUL % 256), Subjects.PartitionOf("a", 256));
        Assert.Equal((int)(0x85944171f73967e8UL % 256), Subjects.PartitionOf("foobar", 256));
    }
}
