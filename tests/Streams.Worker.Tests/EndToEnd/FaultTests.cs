using System.Diagnostics.Metrics;
using Streams.Queue;
using Streams.Testing;

namespace Streams.Worker.Tests.EndToEnd;

/// <summary>What dies, and what must be true afterwards: every row once, in order, accounted for.</summary>
[Collection(WorkerCollection.Name)]
public sealed class FaultTests(WorkerStack stack) : IAsyncLifetime
{
    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => stack.StopWorkersAsync();

    [Fact]
    public async Task A_worker_that_dies_midway_is_followed_by_one_that_loses_and_doubles_nothing()
    {
        await using var agent = await Producer.OpenAsync(stack);
        for (var life = 0; life < 3; life++)
        {
            var worker = await stack.StartAsync();
            var sending = SendAsync(agent, lanes: 2, messages: 60);
            await Eventually.TrueAsync(() => worker.Health.Partitions.Any(partition => partition.Committed != 0), "something is committed");
            await worker.DisposeAsync();
            await sending;
        }

        var last = await stack.StartAsync();
        var verdict = await stack.SettledAsync(agent);
        Assert.True(verdict.Clean, verdict.ToString());
        Assert.Equal(3 * 2 * 60 * 2 * Producer.Rows, verdict.Rows);
        await last.StopAsync();
    }

    [Fact]
    public async Task Rows_that_were_stored_without_their_ledger_rows_are_not_stored_again()
    {
        await using var agent = await Producer.OpenAsync(stack);
        var worker = await stack.StartAsync();
        await agent.SendAsync(1, messages: 5);
        await stack.SettledAsync(agent);
        await worker.StopAsync();

        // What a crash between a table and the ledger leaves: rows of batches 4 to 9 without their commit record.
        await stack.ClickHouse.QueryAsync(
            $"ALTER TABLE loss_ledger DELETE WHERE agent_id = '{agent.AgentId}' AND batch >= 4 SETTINGS mutations_sync = 2");
        var next = await stack.StartAsync();
        Assert.Contains(stack.Log.Lines, line =>
            line.Contains($"partition {agent.Partition}: recovered") && line.Contains("6 batches stored without their ledger rows"));
        agent.Generation = 2;
        await agent.SendFromAsync(1, 0, 10);
        await agent.SendAsync(1, messages: 2);
        var verdict = await stack.SettledAsync(agent);
        Assert.True(verdict.Clean, verdict.ToString());
        Assert.Equal(14 * Producer.Rows, verdict.Rows);
        await next.StopAsync();
    }

    [Fact]
    public async Task The_engine_killed_under_load_stores_every_row_once()
    {
        await using var agent = await Producer.OpenAsync(stack);
        var worker = await stack.StartAsync();
        using var load = new CancellationTokenSource();
        var sending = Task.Run(async () =>
        {
            while (!load.IsCancellationRequested)
            {
                await SendAsync(agent, lanes: 3, messages: 10);
                await Task.Delay(10);
            }
        });
        for (var kill = 0; kill < 3; kill++)
        {
            await Task.Delay(Random.Shared.Next(500, 1500));
            await stack.ClickHouse.KillAsync();
            await Task.Delay(300);
            await stack.ClickHouse.RestartAsync();
        }

        await load.CancelAsync();
        await sending;
        var verdict = await stack.SettledAsync(agent, TimeSpan.FromSeconds(60));
        Assert.True(verdict.Clean, verdict.ToString());
        Assert.Equal(agent.Batches * Producer.Rows, verdict.Rows);
        Assert.Contains(stack.Log.Lines, line => line.Contains("is in doubt"));
        await worker.StopAsync();
    }

    [Fact]
    public async Task With_the_engine_away_no_more_ranges_open_than_may_and_the_gauges_say_what_is_held()
    {
        await using var agent = await Producer.OpenAsync(stack);
        var worker = await stack.StartAsync(stack.Options() with { OpenRanges = 2 });
        await agent.SendAsync(1, messages: 1);
        await stack.SettledAsync(agent);
        await stack.ClickHouse.KillAsync();
        for (var i = 0; i < 12; i++)
        {
            await agent.SendAsync(1, messages: 1);
            await Task.Delay(worker.Health.Partitions[agent.Partition].Load.OpenRanges < 2 ? 400 : 50);
            Assert.InRange(Gauges()["streams.worker.open_ranges"], 0, 2);
        }

        await Eventually.TrueAsync(() => Gauges()["streams.worker.batches"] == 24, "all batches are held");
        Assert.Equal(2, Gauges()["streams.worker.open_ranges"]);
        Assert.InRange(Gauges()["streams.worker.read_ahead"], 0, 8 << 20);
        await stack.ClickHouse.RestartAsync();
        var verdict = await stack.SettledAsync(agent, TimeSpan.FromSeconds(60));
        Assert.True(verdict.Clean, verdict.ToString());
        await Eventually.TrueAsync(() => Gauges().Values.All(value => value == 0), "nothing is held");
        await worker.StopAsync();

        Dictionary<string, long> Gauges()
        {
            var values = new Dictionary<string, long>();
            using var meters = new MeterListener();
            meters.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name == WorkerMetrics.MeterName && instrument is ObservableGauge<long>)
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            };
            meters.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
                values[instrument.Name] = values.GetValueOrDefault(instrument.Name) + (tags[0].Value is int partition && partition == agent.Partition ? value : 0));
            meters.Start();
            meters.RecordObservableInstruments();
            return values;
        }
    }

    [Fact]
    public async Task With_the_queue_wiped_what_is_sent_again_is_dropped_and_what_is_new_is_stored()
    {
        await using var agent = await Producer.OpenAsync(stack);
        var worker = await stack.StartAsync();
        await SendAsync(agent, lanes: 2, messages: 10);
        await stack.SettledAsync(agent);
        await stack.Nats.RestartAsync(wipe: true);
        await using var flow = await FlowSubscriber.OpenAsync(stack.Gateway, static _ => { });
        var answer = await Eventually.ValueAsync(
            async () => await flow.AskAsync(agent.Partition, agent.AgentId, TimeSpan.FromSeconds(1)),
            records => worker.Health is { Healthy: true } health
                && health.Partitions.All(partition => partition.Failures != 0) && records is { Count: >= 2 },
            "the owner recovered and answers from what ClickHouse holds: " + worker.Health.Detail,
            TimeSpan.FromSeconds(30));
        Assert.All(answer!.Where(record => !record.IsCaughtUp), record => Assert.Equal((20u, agent.Epoch), (record.N, record.Epoch)));
        agent.Generation = 2;
        await agent.SendFromAsync(0, 0, 22);
        await agent.SendFromAsync(1, 18, 4);
        await agent.FlushAsync();
        var verdict = await stack.SettledAsync(agent);
        Assert.True(verdict.Clean, verdict.ToString());
        Assert.Equal(44 * Producer.Rows, verdict.Rows);
        await worker.StopAsync();
    }

    [Fact]
    public async Task The_ingest_streams_and_offsets_deleted_under_living_traffic_lose_and_double_nothing()
    {
        var worker = await stack.StartAsync();
        await using var agent = await LiveAgent.OpenAsync(stack);
        for (var wipe = 0u; wipe < 3; wipe++)
        {
            var before = agent.Committed;
            await Eventually.TrueAsync(() => agent.Committed > before + 60, "batches are committed", TimeSpan.FromSeconds(30));
            await stack.Nats.KillAsync();
            foreach (var stream in Directory.GetDirectories(stack.Nats.Store, "*", SearchOption.AllDirectories)
                .Where(path => Path.GetFileName(path) is var name
                    && (name == "KV_offsets" || name.StartsWith("INGEST_", StringComparison.Ordinal)))
                .ToArray())
            {
                Directory.Delete(stream, recursive: true);
            }

            agent.Producing = wipe != 2; // after the last wipe nothing new comes: what is lost is asked for all the same
            await stack.Nats.RestartAsync();
        }

        await Eventually.TrueAsync(
            () => agent.Committed == agent.Made, $"all is committed; {worker.Health.Detail}", TimeSpan.FromSeconds(60));
        Assert.True(agent.Rewinds > 0);
        using var checker = stack.Checker();
        var verdict = await checker.CheckAsync(agent.AgentId, agent.Stamped);
        Assert.True(verdict.Clean, verdict.ToString());
        Assert.Equal(agent.Made * Producer.Rows, verdict.Rows);
        await worker.StopAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_queue_silent_or_away_for_longer_than_a_request_waits_ends_nothing(bool silent)
    {
        await using var agent = await Producer.OpenAsync(stack);
        var heard = new System.Collections.Concurrent.ConcurrentQueue<FlowRecord>();
        await using var flow = await FlowSubscriber.OpenAsync(stack.Gateway, heard.Enqueue);
        var worker = await stack.StartAsync(stack.Options(TimeSpan.FromSeconds(60)));
        using var load = new CancellationTokenSource();
        var sending = Task.Run(async () =>
        {
            while (!load.IsCancellationRequested)
            {
                await SendAsync(agent, lanes: 1, messages: 5);
                await Task.Delay(10);
            }
        });
        await Eventually.TrueAsync(() =>
            heard.Any(record => record.AgentId == agent.AgentId), "watermarks are told", TimeSpan.FromSeconds(10));
        await load.CancelAsync();
        if (silent)
        {
            stack.Nats.Pause();
            await Task.Delay(TimeSpan.FromSeconds(8));
            stack.Nats.Resume();
        }
        else
        {
            await stack.Nats.KillAsync();
            await Task.Delay(TimeSpan.FromSeconds(8));
            await stack.Nats.RestartAsync();
        }

        await sending;
        heard.Clear();
        agent.Generation = 2;
        await agent.SendFromAsync(0, 0, agent.Batches); // what the publisher could not say of the messages in flight
        await agent.SendAsync(0, messages: 5);
        var verdict = await stack.SettledAsync(agent, TimeSpan.FromSeconds(30));
        Assert.True(verdict.Clean, verdict.ToString());
        await Eventually.TrueAsync(() =>
            heard.Any(record => record.N == agent.Batches), "the last watermark is told", TimeSpan.FromSeconds(10));
        var answer = await flow.AskAsync(agent.Partition, agent.AgentId, TimeSpan.FromSeconds(5));
        Assert.All(answer!.Where(record => !record.IsCaughtUp), record => Assert.Equal(agent.Batches, record.N));
        await Eventually.ValueAsync(
            () => Topology.OldestMessageAsync(stack.Gateway, WorkerStack.Partitions),
            oldest => oldest is null,
            "what is committed is purged",
            TimeSpan.FromSeconds(10));
        Assert.All(worker.Health.Partitions, partition => Assert.Equal(0, partition.Failures));
        await worker.StopAsync();
    }

    [Fact]
    public async Task A_stop_commits_what_was_read_and_releases_the_leases_at_once()
    {
        await using var agent = await Producer.OpenAsync(stack);
        var worker = await stack.StartAsync(stack.Options(TimeSpan.FromSeconds(60)));
        await SendAsync(agent, lanes: 2, messages: 30);
        await agent.FlushAsync();
        await worker.StopAsync();
        var next = await stack.StartAsync(stack.Options(TimeSpan.FromSeconds(60)));
        var verdict = await stack.SettledAsync(agent);
        Assert.True(verdict.Clean, verdict.ToString());
        Assert.Equal(0, verdict.Uncommitted);
        await next.StopAsync();
        Assert.DoesNotContain(stack.Log.Lines, line => line.Contains("were not returned to their pool"));
    }

    [Fact]
    public async Task A_second_worker_waits_for_the_lease_and_takes_over_when_the_first_dies()
    {
        await using var agent = await Producer.OpenAsync(stack);
        var first = await stack.StartAsync();
        var second = await stack.StartAsync(running: false);
        await SendAsync(agent, lanes: 1, messages: 20);
        await stack.SettledAsync(agent);
        Assert.All(second.Health.Partitions, partition => Assert.Equal(PartitionState.Recovering, partition.State));
        await SendAsync(agent, lanes: 1, messages: 20);
        await first.DisposeAsync();
        await SendAsync(agent, lanes: 1, messages: 20);
        await Eventually.TrueAsync(() => second.Health.Healthy, "the second owns all partitions", TimeSpan.FromSeconds(20));
        var verdict = await stack.SettledAsync(agent);
        Assert.True(verdict.Clean, verdict.ToString());
        await second.StopAsync();
    }

    private static async Task SendAsync(Producer agent, uint lanes, int messages)
    {
        for (var i = 0; i < messages; i++)
        {
            for (uint lane = 0; lane < lanes; lane++)
            {
                await agent.SendAsync(lane, messages: 1);
            }
        }
    }
}
