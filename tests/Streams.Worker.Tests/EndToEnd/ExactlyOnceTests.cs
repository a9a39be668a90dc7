using System.Collections.Concurrent;
using System.Globalization;
using Streams.Local;
using Streams.Testing;

namespace Streams.Worker.Tests.EndToEnd;

/// <summary>The crash points at which deduplication tokens, offsets or a clock would lose or double rows.</summary>
[Collection(WorkerCollection.Name)]
public sealed class ExactlyOnceTests(WorkerStack stack) : IAsyncLifetime
{
    private const long Day = 86_400_000_000;

    // Beyond the lease any time is as good as ten minutes, which STREAMS_OWNER_STOPPED_SECONDS=600 waits for.
    private static TimeSpan Stopped => TimeSpan.FromSeconds(int.Parse(
        Environment.GetEnvironmentVariable("STREAMS_OWNER_STOPPED_SECONDS") ?? "0", CultureInfo.InvariantCulture));

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => stack.StopWorkersAsync();

    [Theory]
    [InlineData("process_exec")]
    [InlineData("loss_ledger")]
    public async Task The_engine_killed_at_the_rename_of_a_part_has_its_rows_once_after_the_retry(string table)
    {
        await using var agent = await Producer.OpenAsync(stack);
        var worker = await stack.StartAsync();
        await agent.SendAsync(1, messages: 5);
        await stack.SettledAsync(agent);
        await stack.AtRename.KillAsync(stack.ClickHouse, table);
        await agent.SendAsync(1, messages: 5);
        await stack.AtRename.KilledAsync(stack.ClickHouse);
        await stack.ClickHouse.RestartAsync();
        var verdict = await stack.SettledAsync(agent, TimeSpan.FromSeconds(60));
        Assert.True(verdict.Clean, verdict.ToString());
        Assert.Equal(20 * Producer.Rows, verdict.Rows);
        // The token was there without its rows: the repeat under it succeeded, and was not believed.
        Assert.Contains(stack.Log.Lines, line => line.Contains($"into {table} is in doubt") && line.Contains("the token was used before"));
        Assert.All(worker.Health.Partitions, partition => Assert.Equal(0, partition.Failures));
        await worker.StopAsync();
    }

    [Fact]
    public async Task A_replay_far_behind_the_deduplication_window_stores_nothing_again()
    {
        await using var agent = await Producer.OpenAsync(stack);
        await using var other = await Producer.OpenAsync(stack);
        var worker = await stack.StartAsync();
        await agent.SendAsync(1, messages: 10);
        await stack.SettledAsync(agent);
        await stack.ClickHouse.QueryAsync("ALTER TABLE process_exec MODIFY SETTING non_replicated_deduplication_window = 4");
        for (var round = 0; round < 20; round++)
        {
            await other.SendAsync(1, messages: 1);
            await stack.SettledAsync(other);
        }

        // The range is stored and its commit record is not, as after a crash; where it was read from is lost too.
        await worker.DisposeAsync();
        await stack.ClickHouse.QueryAsync(
            $"ALTER TABLE loss_ledger DELETE WHERE agent_id = '{agent.AgentId}' SETTINGS mutations_sync = 2");
        await stack.Nats.RestartAsync(wipe: true);
        var next = await stack.StartAsync();
        agent.Generation = 2;
        await agent.SendFromAsync(1, 0, 20);
        await agent.SendAsync(1, messages: 1);
        var verdict = await stack.SettledAsync(agent);
        await stack.ClickHouse.QueryAsync("ALTER TABLE process_exec MODIFY SETTING non_replicated_deduplication_window = 100000");
        Assert.True(verdict.Clean, verdict.ToString());
        Assert.Equal(22 * Producer.Rows, verdict.Rows);
        await next.StopAsync();
    }

    [Fact]
    public async Task A_retry_across_midnight_finds_the_part_of_the_day_before()
    {
        await using var agent = await Producer.OpenAsync(stack);
        var worker = await stack.StartAsync();
        var midnight = agent.ReceivedAt / Day * Day;
        agent.ReceivedAt = midnight - 1;
        await stack.AtRename.KillAsync(stack.ClickHouse, "process_exec");
        await agent.SendAsync(1, messages: 5);
        await stack.AtRename.KilledAsync(stack.ClickHouse);
        await stack.ClickHouse.RestartAsync();
        await stack.SettledAsync(agent, TimeSpan.FromSeconds(60));
        Assert.Equal("1", await stack.ClickHouse.QueryAsync(
            $"SELECT uniqExact(_partition_id) FROM process_exec WHERE agent_id = '{agent.AgentId}'"));

        // Stored before midnight without its commit record, and received again after it, by another gateway.
        await worker.DisposeAsync();
        await stack.ClickHouse.QueryAsync(
            $"ALTER TABLE loss_ledger DELETE WHERE agent_id = '{agent.AgentId}' AND batch >= 4 SETTINGS mutations_sync = 2");
        var next = await stack.StartAsync();
        agent.ReceivedAt = midnight + 1;
        agent.Generation = 2;
        await agent.SendFromAsync(1, 0, 10);
        var verdict = await stack.SettledAsync(agent);
        Assert.True(verdict.Clean, verdict.ToString());
        Assert.Equal(10 * Producer.Rows, verdict.Rows);
        await next.StopAsync();
    }

    [Fact]
    public async Task An_owner_that_stopped_between_its_lease_check_and_its_insert_doubles_nothing_when_it_goes_on()
    {
        await using var agent = await Producer.OpenAsync(stack);
        var lines = new ConcurrentQueue<string>();
        var trigger = stack.File("stop-before-send");
        await using var first = ChildProcess.Start(new ChildOptions
        {
            Name = "worker",
            FileName = "dotnet",
            Arguments =
            [
                typeof(WorkerStack).Assembly.Location,
                stack.Nats.Url.ToString(), stack.Options().NatsSeedFile, stack.ClickHouse.Url.ToString(),
                stack.Options().ClickHousePasswordFile, $"{WorkerStack.Partitions}", "3", trigger,
            ],
            LogPath = stack.File("worker.log"),
            OnLine = lines.Enqueue,
        });
        await Eventually.TrueAsync(
            () => lines.Any(line => line.StartsWith("2 of 2", StringComparison.Ordinal)), "the first worker runs",
            TimeSpan.FromSeconds(30));
        await agent.SendAsync(1, messages: 3);
        await stack.SettledAsync(agent);
        await System.IO.File.WriteAllTextAsync(trigger, "");
        await agent.SendAsync(1, messages: 3);
        await Eventually.TrueAsync(() => !System.IO.File.Exists(trigger), "the first worker has stopped");

        var second = await stack.StartAsync(stack.Options(TimeSpan.FromSeconds(3)));
        await agent.SendAsync(1, messages: 3);
        await stack.SettledAsync(agent);
        await Task.Delay(Stopped);
        lines.Clear();
        first.Resume();
        await Eventually.TrueAsync(
            () => lines.Any(line => line.StartsWith("0 of 2", StringComparison.Ordinal)), "the old owner knows that it is over",
            TimeSpan.FromSeconds(20));
        var verdict = await stack.SettledAsync(agent);
        Assert.True(verdict.Clean, verdict.ToString());
        Assert.Equal(18 * Producer.Rows, verdict.Rows);
        first.Kill();
        await second.StopAsync();
    }
}
