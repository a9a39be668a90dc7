using System.Collections.Concurrent;
using Streams.Queue;
using Streams.Queue.Producing;
using Streams.Schema;
using Streams.Storage;
using Streams.Testing;

namespace Streams.Worker.Tests.EndToEnd;

/// <summary>What ClickHouse will not take, what this worker cannot read, and what an agent no longer has.</summary>
[Collection(WorkerCollection.Name)]
public sealed class DeadLetterTests(WorkerStack stack) : IAsyncLifetime
{
    private const string Constraint = "no_poison";

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await stack.StopWorkersAsync();
        await stack.ClickHouse.QueryAsync($"ALTER TABLE process_exec DROP CONSTRAINT IF EXISTS {Constraint}");
    }

    [Fact]
    public async Task A_poison_batch_among_500_agents_costs_itself_and_the_watermark_passes_it_only_when_it_is_a_dead_letter()
    {
        var worker = await stack.StartAsync();
        var heard = new ConcurrentQueue<FlowRecord>();
        await using var flow = await FlowSubscriber.OpenAsync(stack.Gateway, heard.Enqueue);
        var agents = new List<Producer>();
        for (var i = 0; i < 500; i++)
        {
            agents.Add(await Producer.OpenAsync(stack));
        }

        var poisoned = agents[250];
        await PoisonAsync(poisoned, 1);
        await Task.WhenAll(agents.Select(agent => agent.SendAsync(1, messages: 2)));
        await Eventually.TrueAsync(
            () => heard.Any(record => record is { Kind: FlowKind.Watermark, N: > 1 } && record.AgentId == poisoned.AgentId),
            "the watermark passes the poison",
            TimeSpan.FromSeconds(60));
        Assert.Equal("1\tinsert\t469\t40\tprocess_exec", await LetterAsync(poisoned));
        foreach (var agent in agents)
        {
            await agent.FlushAsync();
            await agent.DisposeAsync();
        }

        var all = string.Join(',', agents.Select(agent => $"'{agent.AgentId}'"));
        await Eventually.ValueAsync(
            () => stack.ClickHouse.QueryAsync($"SELECT count() FROM loss_ledger WHERE agent_id IN ({all})"),
            count => count == "2000",
            "all batches are committed",
            TimeSpan.FromSeconds(60));
        Assert.Equal($"{3 * Producer.Rows}\t1\n{4 * Producer.Rows}\t499", await stack.ClickHouse.QueryAsync(
            $"""
            SELECT n, count() FROM (SELECT agent_id, count() AS n, uniqExact(lane, batch, row) AS d FROM process_exec
            WHERE agent_id IN ({all}) GROUP BY agent_id HAVING n = d) GROUP BY n ORDER BY n
            """));
        foreach (var agent in new[] { poisoned, agents[0], agents[^1] })
        {
            var verdict = await stack.SettledAsync(agent);
            Assert.True(verdict.Clean, verdict.ToString());
        }

        Assert.Equal("40\t2\t0", await stack.ClickHouse.QueryAsync(
            $"SELECT lost_dead_letter, lost_ring_full, rows FROM loss_ledger WHERE agent_id = '{poisoned.AgentId}' AND batch = 1"));
        Assert.Contains(stack.Log.Lines, line => line.Contains("system alert dead_letter") && line.Contains(poisoned.AgentId));
        await Eventually.ValueAsync(
            () => stack.ClickHouse.QueryAsync(
                $"SELECT count() FROM system_alert WHERE kind = 'dead_letter' AND startsWith(subject, '{poisoned.AgentId}/') AND position(detail, '469') > 0"),
            count => count == "1",
            "the alert is a row");
        using (var checker = stack.Checker())
        {
            var alerts = await checker.CheckAsync(RowProducer.IdOf("worker", Environment.MachineName), []);
            Assert.True(alerts.Clean, alerts.ToString());
        }

        Assert.All(worker.Health.Partitions, partition => Assert.Equal(0, partition.Failures));
        await worker.StopAsync();
    }

    [Fact]
    public async Task A_malformed_batch_of_a_known_class_is_a_dead_letter_and_its_lane_goes_on()
    {
        await using var agent = await Producer.OpenAsync(stack);
        var worker = await stack.StartAsync();
        await agent.SendFromAsync(1, 0, 1);
        await agent.SendFromAsync(1, 1, 1, bytes =>
        {
            bytes[^3] ^= 0xff;
            return bytes;
        });
        await agent.SendFromAsync(1, 2, 1);
        var verdict = await stack.SettledAsync(agent);
        Assert.True(verdict.Clean, verdict.ToString());
        Assert.Equal(2 * Producer.Rows, verdict.Rows);
        Assert.Equal("1\tundecodable\t0\t40\tprocess_exec", await LetterAsync(agent));
        using var redrive = Redrive();
        var name = new DeadLetterName(agent.AgentId, new BatchName(agent.Epoch, 1, 1));
        var outcome = await redrive.RunAsync(name, default);
        Assert.Equal(RedriveState.Refused, outcome.State);
        Assert.Contains("undecodable", outcome.Detail);

        // A crash between the letter and its ledger rows: a dead letter it stays, once.
        await worker.DisposeAsync();
        await stack.ClickHouse.QueryAsync(
            $"ALTER TABLE loss_ledger DELETE WHERE agent_id = '{agent.AgentId}' AND batch >= 1 SETTINGS mutations_sync = 2");
        Assert.Contains("not done", (await redrive.RunAsync(name, default)).Detail);
        var next = await stack.StartAsync();
        agent.Generation = 2;
        await agent.SendFromAsync(1, 1, 2);
        verdict = await stack.SettledAsync(agent);
        Assert.True(verdict.Clean, verdict.ToString());
        Assert.Equal(2 * Producer.Rows, verdict.Rows);
        Assert.Equal("1\tundecodable\t0\t40\tprocess_exec", await LetterAsync(agent));
        await next.StopAsync();
    }

    [Fact]
    public async Task An_unknown_class_is_held_and_the_agents_other_lanes_go_on()
    {
        await using var agent = await Producer.OpenAsync(stack);
        var heard = new ConcurrentQueue<FlowRecord>();
        await using var flow = await FlowSubscriber.OpenAsync(stack.Gateway, heard.Enqueue);
        var worker = await stack.StartAsync();
        await agent.SendFromAsync(1, 0, 1);
        await agent.SendFromAsync(1, 1, 1, bytes =>
        {
            bytes[4] = 250; // the class of a newer catalogue
            return bytes;
        });
        await agent.SendFromAsync(1, 2, 1);
        await agent.SendAsync(2, messages: 3);
        await Eventually.TrueAsync(
            () => heard.Contains(new FlowRecord(FlowKind.Hold, agent.AgentId, agent.Epoch, 1, 1)), "lane 1 is held at batch 1");
        await Eventually.ValueAsync(
            () => flow.AskAsync(agent.Partition, agent.AgentId, TimeSpan.FromSeconds(2)),
            records => records?.Where(record => record.Kind == FlowKind.Watermark).Select(record => (record.Lane, record.N)).Order()
                .SequenceEqual([(1u, 1u), (2u, 6u)]) == true,
            "lane 1 stands, lane 2 goes on");
        Assert.DoesNotContain(heard, record => record.Kind == FlowKind.Rewind && record.AgentId == agent.AgentId);
        Assert.Equal("0", await stack.ClickHouse.QueryAsync($"SELECT count() FROM dead_letter WHERE agent_id = '{agent.AgentId}'"));

        // A worker that knows the class takes it from there.
        agent.Generation = 2;
        await agent.SendFromAsync(1, 1, 2);
        var verdict = await stack.SettledAsync(agent);
        Assert.True(verdict.Clean, verdict.ToString());
        await worker.StopAsync();
    }

    [Fact]
    public async Task A_tombstone_is_committed_and_rows_that_were_stored_after_all_are_rows()
    {
        await using var agent = await Producer.OpenAsync(stack);
        var worker = await stack.StartAsync();
        await agent.SendAsync(1, messages: 3);
        await stack.SettledAsync(agent);
        await worker.DisposeAsync();
        await stack.ClickHouse.QueryAsync(
            $"ALTER TABLE loss_ledger DELETE WHERE agent_id = '{agent.AgentId}' AND batch >= 4 SETTINGS mutations_sync = 2");

        // Rows of 4 and 5 are stored without their commit record; the agent has evicted 4 to 7 from its spool meanwhile.
        var next = await stack.StartAsync();
        agent.Generation = 2;
        await agent.SendTombstonesAsync(1, 4, 4);
        await agent.SendAsync(1, messages: 1);
        var verdict = await stack.SettledAsync(agent);
        Assert.True(verdict.Clean, verdict.ToString());
        Assert.Equal(8 * Producer.Rows, verdict.Rows);
        Assert.Equal(
            "4\t40\t2\t0\t40\n5\t40\t2\t0\t40\n6\t0\t2\t40\t0\n7\t0\t2\t40\t0",
            await stack.ClickHouse.QueryAsync(
                $"""
                SELECT batch, rows, lost_ring_full, lost_spool_evicted, batch_rows FROM loss_ledger
                WHERE agent_id = '{agent.AgentId}' AND batch BETWEEN 4 AND 7 ORDER BY batch
                """));
        await next.StopAsync();
    }

    [Fact]
    public async Task What_recovery_found_stored_is_known_to_the_next_however_old_it_is()
    {
        await using var agent = await Producer.OpenAsync(stack);
        await using var other = await Producer.OpenAsync(stack, agent.Partition);
        var now = agent.ReceivedAt;
        agent.ReceivedAt -= 10 * 86_400_000_000;
        var worker = await stack.StartAsync();
        await agent.SendAsync(1, messages: 3);
        await stack.SettledAsync(agent);
        await worker.DisposeAsync();
        await stack.ClickHouse.QueryAsync(
            $"ALTER TABLE loss_ledger DELETE WHERE agent_id = '{agent.AgentId}' AND batch >= 4 SETTINGS mutations_sync = 2");

        // The first recovery finds them by their time only if it is near the others'; it is told so here, as it would be right after.
        using (var client = new StorageClient(stack.Storage()))
        {
            var found = await new UncommittedReader(client).ReadAsync(await new StorageReader(client).CommittedLanesAsync(), 0, 0);
            Assert.Equal(2, found.Count(row => row.Batch.AgentId == agent.AgentId));
        }

        other.ReceivedAt = now;
        var next = await stack.StartAsync();
        await other.SendAsync(1, messages: 1);
        await stack.SettledAsync(other);
        await next.DisposeAsync();
        var last = await stack.StartAsync();
        agent.Generation = 2;
        await agent.SendFromAsync(1, 4, 2);
        var verdict = await stack.SettledAsync(agent);
        Assert.True(verdict.Clean, verdict.ToString());
        await last.StopAsync();
    }

    [Fact]
    public async Task A_dead_letter_is_re_driven_once_however_often_and_wherever_it_is_interrupted()
    {
        await using var agent = await Producer.OpenAsync(stack);
        var worker = await stack.StartAsync();
        await PoisonAsync(agent, 1);
        await agent.SendAsync(1, messages: 2);
        await stack.SettledAsync(agent, TimeSpan.FromSeconds(30));
        using var redrive = Redrive();
        var name = Assert.Single(await redrive.WaitingAsync(agent.AgentId, default));
        Assert.Equal(name, DeadLetterName.TryParse(name.ToString(), out var parsed) ? parsed : null);
        var refused = await redrive.RunAsync(name, default);
        Assert.Equal(RedriveState.Refused, refused.State);
        Assert.Contains("469", refused.Detail);
        Assert.True((await stack.SettledAsync(agent)).Clean);

        await stack.ClickHouse.QueryAsync($"ALTER TABLE process_exec DROP CONSTRAINT {Constraint}");
        await stack.AtRename.KillAsync(stack.ClickHouse, "loss_ledger");
        using var interrupted = new CancellationTokenSource();
        var first = redrive.RunAsync(name, interrupted.Token);
        await stack.AtRename.KilledAsync(stack.ClickHouse);
        await interrupted.CancelAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => first);
        await stack.ClickHouse.RestartAsync();
        Assert.Equal("160", await stack.ClickHouse.QueryAsync($"SELECT count() FROM process_exec WHERE agent_id = '{agent.AgentId}'"));

        // The lock of the one that was interrupted stands until it is stale.
        var beside = await redrive.RunAsync(name, default);
        Assert.True(beside.Detail.Contains("another re-drive", StringComparison.Ordinal), beside.ToString());
        await stack.ClickHouse.QueryAsync("ALTER TABLE dead_letter_redrive MODIFY COMMENT 'redrive-gone 1'");
        Assert.Equal(RedriveState.Stored, (await redrive.RunAsync(name, default)).State);
        Assert.Equal(RedriveState.AlreadyStored, (await redrive.RunAsync(name, default)).State);
        Assert.Empty(await redrive.WaitingAsync(agent.AgentId, default));
        var verdict = await stack.SettledAsync(agent);
        Assert.True(verdict.Clean, verdict.ToString());
        Assert.Equal(4 * Producer.Rows, verdict.Rows);
        Assert.Equal("0\t0\t40\n1\t40\t0", await stack.ClickHouse.QueryAsync(
            "SELECT revision, rows, lost_dead_letter FROM loss_ledger "
            + $"WHERE agent_id = '{agent.AgentId}' AND batch = 1 ORDER BY revision"));
        Assert.Equal(RedriveState.NotFound, (await redrive.RunAsync(name with { AgentId = "agent-none" }, default)).State);

        // A worker that starts now sees a lane that is committed as before.
        await worker.DisposeAsync();
        var next = await stack.StartAsync();
        agent.Generation = 2;
        await agent.SendFromAsync(1, 0, 4);
        await agent.SendAsync(1, messages: 1);
        verdict = await stack.SettledAsync(agent);
        Assert.True(verdict.Clean, verdict.ToString());
        Assert.Equal(6 * Producer.Rows, verdict.Rows);
        await next.StopAsync();
    }

    private DeadLetterRedrive Redrive() => new(stack.Storage());

    private Task<string> PoisonAsync(Producer agent, int batch) => stack.ClickHouse.QueryAsync(
        $"ALTER TABLE process_exec ADD CONSTRAINT {Constraint} CHECK agent_id != '{agent.AgentId}' OR batch != {batch}");

    private Task<string> LetterAsync(Producer agent) => stack.ClickHouse.QueryAsync(
        $"SELECT batch, cause, code, rows, class FROM dead_letter WHERE agent_id = '{agent.AgentId}'");
}
