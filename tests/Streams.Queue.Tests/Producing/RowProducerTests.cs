using Streams.Queue.Producing;
using Streams.Schema;
using Streams.Testing;

namespace Streams.Queue.Tests.Producing;

public sealed class RowProducerTests : IAsyncLifetime
{
    private static readonly RowProducerOptions Options = new()
    {
        Role = "services",
        Name = "Test Host",
        Partitions = 4,
        Linger = TimeSpan.FromMilliseconds(1),
        Doubt = TimeSpan.FromMilliseconds(200),
        Pause = TimeSpan.FromMilliseconds(1),
    };

    private static readonly int Partition = Subjects.PartitionOf(RowProducer.IdOf(Options.Role, Options.Name), 4);

    private readonly NatsProcess _nats = new();
    private QueueConnection _worker = null!;
    private QueueConnection _services = null!;

    public async Task InitializeAsync()
    {
        await _nats.InitializeAsync();
        _worker = await _nats.OpenAsync(QueueRole.Worker);
        _services = await _nats.OpenAsync(QueueRole.Services);
        await Topology.CreateAsync(_worker, Servers.Small());
    }

    public async Task DisposeAsync()
    {
        await _worker.DisposeAsync();
        await _services.DisposeAsync();
        await _nats.DisposeAsync();
    }

    [Fact]
    public async Task Rows_are_batches_of_one_lane_and_the_next_message_waits_for_the_watermark()
    {
        await using var owner = await LaneOwner.OpenAsync(_worker, Partition, () => null);
        await using var producer = await RowProducer.OpenAsync(_services, Options with { Linger = TimeSpan.FromSeconds(1) });
        Assert.Equal("_services-test-host", producer.AgentId);
        for (var i = 0; i < 3; i++)
            Assert.True(producer.TryAlert("kind", "subject-" + i, new string('é', 2000)));
        Audit(producer, "first");

        var first = await owner.ReadAsync();
        Assert.Equal((producer.AgentId, PriorityClass.Alert, 0U, 0UL), (first.AgentId, first.Headers.Class, first.Headers.First, first.Headers.Generation));
        var batches = first.Batches();
        Assert.Equal([ServerClasses.SystemAlert, ServerClasses.Audit], batches.Select(batch => batch.Class));
        Assert.Equal([3, 1], batches.Select(batch => batch.Header.Rows));
        Assert.Equal((1UL, 3UL, 3U), Counted(batches[0]));
        batches.ForEach(batch => batch.Dispose());

        // Half of it is not all of it.
        await owner.TellAsync(first, FlowKind.Watermark, 1);
        Audit(producer, "second");
        await owner.CommitAsync(first);
        var second = await owner.ReadAsync();
        Assert.Equal((first.Headers.Epoch, 2U), (second.Headers.Epoch, second.Headers.First));
        var audit = Assert.Single(second.Batches());
        Assert.Equal((2UL, 2UL, 1U), Counted(audit));
        audit.Dispose();
        await owner.CommitAsync(second);
        Assert.True(await producer.StopAsync(TimeSpan.FromSeconds(20)));
        Assert.False(producer.TryAlert("kind", "late", ""));
    }

    [Fact]
    public async Task What_the_queue_lost_comes_again_under_its_name()
    {
        IReadOnlyList<FlowRecord>? answer = null;
        await using var owner = await LaneOwner.OpenAsync(_worker, Partition, () => answer);
        await using var producer = await RowProducer.OpenAsync(_services, Options);
        Audit(producer, "first");
        var first = await owner.ReadAsync();

        // Nobody knows: it is not sent again. The owner has read all and never saw the lane: it is.
        answer = [FlowRecord.CaughtUp(producer.AgentId)];
        var again = await owner.ReadAsync();
        Assert.Equal(first.Payload, again.Payload);
        Assert.Equal((first.Headers.Epoch, first.Headers.First), (again.Headers.Epoch, again.Headers.First));
        answer = null;

        // Asked to go back, without a question.
        await owner.TellAsync(again, FlowKind.Rewind, 0);
        var third = await owner.ReadAsync();
        Assert.Equal(first.Payload, third.Payload);
        await owner.CommitAsync(third);
        Assert.True(await producer.StopAsync(TimeSpan.FromSeconds(20)));
    }

    [Fact]
    public async Task A_lane_that_nobody_knows_any_more_goes_on_as_another()
    {
        IReadOnlyList<FlowRecord>? answer = null;
        await using var owner = await LaneOwner.OpenAsync(_worker, Partition, () => answer);
        await using var producer = await RowProducer.OpenAsync(_services, Options);
        Audit(producer, "first");
        var first = await owner.ReadAsync();
        await owner.CommitAsync(first);
        Audit(producer, "second");
        var second = await owner.ReadAsync();

        // An old word is not believed, the owner's own answer is.
        await owner.TellAsync(second, FlowKind.Rewind, 0);
        answer = [FlowRecord.CaughtUp(producer.AgentId)];
        var moved = await owner.ReadAsync();
        answer = null;
        Assert.NotEqual(first.Headers.Epoch, moved.Headers.Epoch);
        Assert.Equal(0U, moved.Headers.First);
        using var was = Assert.Single(second.Batches());
        using var now = Assert.Single(moved.Batches());
        Assert.Equal(was.Header.SensorEpoch, now.Header.SensorEpoch);
        Assert.Equal(Counted(was), Counted(now));
        await owner.CommitAsync(moved);
        Audit(producer, "third");
        var third = await owner.ReadAsync();
        Assert.Equal((moved.Headers.Epoch, 1U), (third.Headers.Epoch, third.Headers.First));
        await owner.CommitAsync(third);
        Assert.True(await producer.StopAsync(TimeSpan.FromSeconds(20)));
    }

    [Fact]
    public async Task What_finds_no_room_is_counted_in_the_ledger_and_a_stop_ends()
    {
        await using var owner = await LaneOwner.OpenAsync(_worker, Partition, () => null);
        var producer = await RowProducer.OpenAsync(_services, Options);
        Audit(producer, "first");
        var first = await owner.ReadAsync();
        var taken = 0;
        while (producer.TryAlert("flood", "s", "d"))
            taken++;
        Assert.InRange(taken, 1, 4096);
        Assert.False(producer.TryAlert("flood", "s", "d"));
        Assert.False(producer.TryAlert("flood", "s", "d"));
        await owner.CommitAsync(first);
        var flood = await owner.ReadAsync();
        using var batch = Assert.Single(flood.Batches());
        Assert.Equal(taken, batch.Header.Rows);
        Assert.Equal((1UL, (ulong)taken + 3, (uint)taken), Counted(batch));
        Assert.Equal(new LossCount(LossCause.ServerLost, 3), Assert.Single(batch.Ledger.Losses(batch.Ledger.Entries[0]).ToArray()));

        // Nobody says that it is committed.
        Assert.False(await producer.StopAsync(TimeSpan.FromMilliseconds(300)));
    }

    [Fact]
    public async Task A_class_of_agents_is_refused()
    {
        await using var producer = await RowProducer.OpenAsync(_services, Options);
        Assert.Throws<ArgumentException>(() => producer.TryAppend(ProcessClasses.Exec, 0, static (_, _) => { }));
    }

    private static (ulong First, ulong Last, uint Rows) Counted(DecodedBatch batch)
    {
        Assert.Equal(1, batch.Ledger.Entries.Length);
        var entry = batch.Ledger.Entries[0];
        Assert.Equal(ClaimColumns.UserSpaceCpu, entry.Cpu);
        return (entry.First, entry.Last, entry.Rows);
    }

    private static void Audit(RowProducer producer, string action) => Assert.True(producer.TryAppend(
        ServerClasses.Audit, action, static (row, text) => row.SetText(ServerClasses.Audit.OrdinalOf("action"), text)));
}
