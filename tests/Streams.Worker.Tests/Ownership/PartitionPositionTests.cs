using Microsoft.Extensions.Logging.Abstractions;
using Streams.Local;
using Streams.Queue;
using Streams.Testing;

namespace Streams.Worker.Tests.Ownership;

public sealed class PartitionPositionTests
{
    [Fact]
    public async Task A_note_whose_answer_was_lost_is_not_another_owner_and_another_owner_is()
    {
        await using var nats = await NatsProcess.StartAsync();
        await using var connection = await QueueConnection.OpenAsync(new QueueOptions
        {
            Url = nats.Url,
            Role = QueueRole.Worker,
            Seed = nats.Seed(NatsRole.Worker),
            Name = "test worker",
            RequestTimeout = TimeSpan.FromSeconds(1),
        });
        await Topology.CreateAsync(
            connection, new TopologyOptions { IngestBytes = 48L << 20, SessionsBytes = 4L << 20, IdentitiesBytes = 4L << 20 });
        var offsets = await OffsetStore.OpenAsync(connection);
        var position = new PartitionPosition(offsets, 0, NullLogger.Instance);
        await position.ReadAsync(default);
        await using var reader = PartitionReader.Start(connection, 0, 0);
        await position.TrimAsync(reader, 1, default);
        var before = (await offsets.GetAsync(0)).Revision;

        nats.Pause();
        await position.TrimAsync(reader, 2, default);
        nats.Resume();
        await Eventually.TrueAsync(
            async () => (await offsets.GetAsync(0)).Revision > before, "the server did what it was asked before the pause");
        await position.TrimAsync(reader, 3, default);
        var (offset, revision) = await offsets.GetAsync(0);
        Assert.Equal(4UL, offset?.NextSequence);

        await offsets.TryWriteAsync(0, offset! with { NextSequence = 9 }, revision);
        await Assert.ThrowsAsync<PartitionFault>(() => position.TrimAsync(reader, 4, default));
    }
}
