using Streams.Queue;
using Streams.Testing;

namespace Streams.Worker.Tests.EndToEnd;

/// <summary>Queue to tables, through real servers, without faults.</summary>
[Collection(WorkerCollection.Name)]
public sealed class DeliveryTests(WorkerStack stack) : IAsyncLifetime
{
    private StreamsWorker _worker = null!;

    public async Task InitializeAsync() => _worker = await stack.StartAsync();

    public Task DisposeAsync() => _worker.StopAsync();

    [Fact]
    public async Task Every_row_is_there_once_with_every_value_and_the_ledger_accounts_for_all()
    {
        await using var agent = await Producer.OpenAsync(stack);
        for (uint lane = 0; lane < 3; lane++)
        {
            await agent.SendAsync(lane, messages: 20);
        }

        var verdict = await stack.SettledAsync(agent);
        Assert.True(verdict.Clean, verdict.ToString());
        Assert.Equal(3 * 40 * Producer.Rows, verdict.Rows);
        Assert.Equal(0, verdict.Uncommitted);
        var right = await stack.ClickHouse.QueryAsync(
            $"""
            SELECT countIf(
                agent_id = '{agent.AgentId}' AND host = 'host-{agent.AgentId}' AND toUnixTimestamp64Micro(received_at) = {agent.ReceivedAt}
                AND epoch = {agent.Epoch.Prefix} AND lane IN (0, 1, 2)
                AND row = seq - batch * 42 - 3 AND sensor_epoch = {agent.Epoch.Prefix}
                AND server_flags = if(abs(dateDiff('hour', time, received_at)) > 24, 1, 0)
                AND toUnixTimestamp64Micro(time) = {Fakes.Batches.Noon} + seq AND cpu = lane AND policy_generation = 3 AND flags = 0
                AND pid = 1000 + seq AND ppid = 1 AND uid = 1001 AND gid = 1002 AND cgroup_id = 77 AND inode = 88
                AND comm = 'true' AND filename = concat('/bin/true', toString(seq % 7))
                AND argv = concat('/bin/true\0--n=', toString(batch), '\0--seq=', toString(seq)) AND argc = 3
                AND toUnixTimestamp64Micro(start_time) = {Fakes.Batches.Noon} + seq - 5)
            FROM process_exec WHERE agent_id = '{agent.AgentId}'
            """);
        Assert.Equal("4800", right);
        var ledger = await stack.ClickHouse.QueryAsync(
            $"""
            SELECT count(), sum(rows), sum(lost_ring_full), sum(last - first + 1),
                countIf(class = 'process_exec' AND entries = 1 AND batch_rows = 40 AND cpu = lane)
            FROM loss_ledger WHERE agent_id = '{agent.AgentId}'
            """);
        Assert.Equal("120\t4800\t240\t5040\t120", ledger);
    }

    [Fact]
    public async Task Duplicates_and_messages_out_of_order_change_nothing()
    {
        await using var agent = await Producer.OpenAsync(stack);
        var heard = new System.Collections.Concurrent.ConcurrentQueue<FlowRecord>();
        await using var flow = await FlowSubscriber.OpenAsync(stack.Gateway, heard.Enqueue);
        await agent.SendFromAsync(1, 0, 2);
        agent.Generation = 2;
        await agent.SendFromAsync(1, 0, 2); // a duplicate of the next session
        await agent.SendFromAsync(1, 1, 3); // overlaps by one
        await agent.SendFromAsync(1, 6, 2); // 4 and 5 are missing
        await Eventually.TrueAsync(
            () => heard.Any(record =>
                record is { Kind: FlowKind.Rewind, Lane: 1, N: 4 } && record.AgentId == agent.AgentId && record.Epoch == agent.Epoch),
            "the agent is asked to go back to 4");
        agent.Generation = 1;
        await agent.SendFromAsync(1, 4, 2); // late, of the session before
        agent.Generation = 3;
        await agent.SendFromAsync(1, 4, 4);
        await agent.SendFromAsync(1, 4, 4); // swallowed by the queue's window or dropped here
        var verdict = await stack.SettledAsync(agent);
        Assert.True(verdict.Clean, verdict.ToString());
        Assert.Equal(8 * Producer.Rows, verdict.Rows);
        await Eventually.TrueAsync(() =>
            heard.Any(record => record is { Kind: FlowKind.Watermark, Lane: 1, N: 8 }), "the watermark is told");
    }

    [Fact]
    public async Task The_watermark_is_state_that_can_be_asked()
    {
        await using var agent = await Producer.OpenAsync(stack);
        await using var flow = await FlowSubscriber.OpenAsync(stack.Gateway, static _ => { });
        await agent.SendAsync(7, messages: 3);
        await agent.SendAsync(9, messages: 1);
        await stack.SettledAsync(agent);
        var answer = await Eventually.ValueAsync(
            async () => await flow.AskAsync(agent.Partition, agent.AgentId, TimeSpan.FromSeconds(2)),
            records => records is { Count: 5 } && records[^1].IsCaughtUp,
            "both lanes are answered, with where they would go on: nothing is unread");
        Assert.Equal(
            [(7u, 6u, FlowKind.Watermark), (7u, 6u, FlowKind.Rewind), (9u, 2u, FlowKind.Watermark), (9u, 2u, FlowKind.Rewind)],
            answer!.Take(4).Select(record => (record.Lane, record.N, record.Kind)).Order());
        Assert.All(answer!.Take(4), record => Assert.Equal(agent.Epoch, record.Epoch));
    }

    [Fact]
    public async Task An_unreadable_header_holds_its_lane_only_and_the_watermark_does_not_pass_it()
    {
        await using var agent = await Producer.OpenAsync(stack);
        await using var flow = await FlowSubscriber.OpenAsync(stack.Gateway, static _ => { });
        await agent.SendFromAsync(1, 0, 2);
        await agent.SendFromAsync(1, 2, 2, bytes =>
        {
            Assert.True(Schema.BatchHeader.TryRead(bytes, out var header, out _));
            bytes[header.TotalLength] ^= 0xff;
            return bytes;
        });
        await agent.SendFromAsync(1, 4, 2);
        await agent.SendFromAsync(2, 0, 3);
        await Eventually.ValueAsync(
            async () => await flow.AskAsync(agent.Partition, agent.AgentId, TimeSpan.FromSeconds(2)),
            records => records?.Where(record => record.Kind == FlowKind.Watermark).Sum(record => record.N) == 6,
            "lane 1 stands at 3, lane 2 at 3");
        Assert.True(_worker.Health.Healthy);
        Assert.Contains(stack.Log.Lines, line =>
            line.Contains("system alert") && line.Contains(agent.AgentId) && line.Contains("held at batch 3"));
        agent.Generation = 2;
        await agent.SendFromAsync(1, 3, 3);
        var verdict = await stack.SettledAsync(agent);
        Assert.True(verdict.Clean, verdict.ToString());
    }

    [Fact]
    public async Task Rows_received_before_and_after_midnight_are_in_parts_of_their_days()
    {
        await using var agent = await Producer.OpenAsync(stack);
        agent.ReceivedAt = (agent.ReceivedAt / 86_400_000_000 * 86_400_000_000) - 1;
        await agent.SendAsync(1, messages: 2);
        agent.ReceivedAt += 1;
        await agent.SendAsync(1, messages: 2);
        var verdict = await stack.SettledAsync(agent);
        Assert.True(verdict.Clean, verdict.ToString());
        Assert.Equal("2", await stack.ClickHouse.QueryAsync(
            $"SELECT uniqExact(_partition_id) FROM process_exec WHERE agent_id = '{agent.AgentId}'"));
        Assert.Equal(0, _worker.Health.Partitions.Sum(partition => partition.Failures));
    }
}
