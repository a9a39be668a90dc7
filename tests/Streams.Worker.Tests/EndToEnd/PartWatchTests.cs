using Streams.Checker;
using Streams.Testing;

namespace Streams.Worker.Tests.EndToEnd;

/// <summary>A part that cannot be read is mended by a worker that runs, and told once with its rows.</summary>
[Collection(WorkerCollection.Name)]
public sealed class PartWatchTests(WorkerStack stack) : IAsyncLifetime
{
    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => stack.StopWorkersAsync();

    [Fact]
    public async Task A_part_of_empty_files_gives_way_to_its_sources_and_batches_arrive()
    {
        // Of engine Atomic, as `up` has one; `default` is not.
        var options = stack.Options() with { Database = "parts", PartInterval = TimeSpan.FromMilliseconds(100) };
        var before = await stack.StartAsync(options with { PartInterval = TimeSpan.FromMinutes(4) });
        foreach (var pid in new[] { 1, 2, 3 })
        {
            await stack.ClickHouse.QueryAsync($"INSERT INTO parts.process_exec (agent_id, received_at, pid) SETTINGS async_insert = 0 VALUES ('part-watch', now64(6), {pid})");
        }

        await stack.ClickHouse.QueryAsync("OPTIMIZE TABLE parts.process_exec FINAL");
        await before.StopAsync();
        var merged = await stack.ClickHouse.QueryAsync("SELECT name, path FROM system.parts WHERE database = 'parts' AND table = 'process_exec' AND active FORMAT TSVRaw");
        var (name, path) = (merged.Split('\t')[0], merged.Split('\t')[1]);
        foreach (var file in Directory.EnumerateFiles(path))
        {
            System.IO.File.WriteAllBytes(file, []);
        }

        var worker = await stack.StartAsync(options);
        await using var agent = await Producer.OpenAsync(stack);
        await agent.SendAsync(1, messages: 20);

        await Eventually.ValueAsync(
            () => stack.ClickHouse.QueryAsync($"SELECT detail FROM parts.system_alert WHERE kind = 'part_unreadable' AND subject = 'process_exec/{name}' FORMAT TSVRaw"),
            detail => detail.Contains("of 3 rows cannot be read: it is set aside, 3 rows are back from its sources, 0 are lost (", StringComparison.Ordinal),
            "the part is mended and told",
            TimeSpan.FromSeconds(30));
        await Eventually.ValueAsync(
            () => stack.ClickHouse.QueryAsync($"SELECT agent_id, count(), uniqExact(lane, batch, row) FROM parts.process_exec WHERE agent_id = '{agent.AgentId}' GROUP BY agent_id FORMAT TSV"),
            rows => rows == $"{agent.AgentId}\t{40 * Producer.Rows}\t{40 * Producer.Rows}", "its batches are there once");
        Assert.Equal("3\t6", await stack.ClickHouse.QueryAsync("SELECT count(), sum(pid) FROM parts.process_exec WHERE agent_id = 'part-watch' FORMAT TSV"));
        Assert.Single(stack.Log.Lines, line => line.Contains("part_unreadable") && line.Contains("of 3 rows"));
        await worker.StopAsync();
    }

    [Theory]
    [InlineData("process_exec")]
    [InlineData("loss_ledger")]
    public async Task An_insert_that_succeeded_with_empty_files_on_a_short_disk_is_sent_again(string table)
    {
        var options = stack.Options() with { Database = "short_disk", PartInterval = TimeSpan.FromMilliseconds(100), ShortDiskBytes = long.MaxValue };
        var worker = await stack.StartAsync(options);
        await using var agent = await Producer.OpenAsync(stack);
        await stack.AtRename.EmptyAsync(stack.ClickHouse, $"short_disk.{table}");
        await agent.SendAsync(1, messages: 5);

        await Eventually.ValueAsync(
            async () => await stack.ClickHouse.QueryAsync("SELECT kind, startsWith(subject, '" + table + "/'), detail LIKE '%whoever inserted it sends its rows again%' "
                + $"FROM short_disk.system_alert WHERE subject LIKE '{table}/%' FORMAT TSV"),
            alert => alert == "part_unreadable\t1\t1",
            "the part is set aside and told",
            TimeSpan.FromSeconds(30));
        using var checker = new HistoryChecker(stack.ClickHouse.Url, stack.ClickHouse.User, stack.ClickHouse.Password, "short_disk");
        await Eventually.ValueAsync(
            () => stack.ClickHouse.QueryAsync($"SELECT uniqExact(epoch, lane, batch) FROM short_disk.loss_ledger WHERE agent_id = '{agent.AgentId}'"),
            count => count == agent.Batches.ToString(System.Globalization.CultureInfo.InvariantCulture),
            "all is committed");
        var verdict = await checker.CheckAsync(agent.AgentId, agent.Stamped);
        Assert.True(verdict.Clean, verdict.ToString());
        Assert.Equal(agent.Batches * Producer.Rows, verdict.Rows);
        Assert.False(stack.AtRename.IsArmed);
        Assert.Contains(stack.Log.Lines, line => line.Contains($"into {table} is in doubt") && line.Contains("bytes left"));
        await worker.StopAsync();
    }

    [Fact]
    public async Task Where_a_table_cannot_be_loaded_anew_the_alert_says_so_once()
    {
        var options = stack.Options() with { PartInterval = TimeSpan.FromMilliseconds(100) };
        var worker = await stack.StartAsync(options);
        foreach (var pid in new[] { 1, 2 })
        {
            await stack.ClickHouse.QueryAsync($"INSERT INTO network_close (agent_id, received_at) SETTINGS async_insert = 0 VALUES ('part-left-{pid}', now64(6))");
        }

        await worker.StopAsync();
        await stack.ClickHouse.QueryAsync("OPTIMIZE TABLE network_close FINAL");
        var merged = await stack.ClickHouse.QueryAsync("SELECT name, path FROM system.parts WHERE database = 'default' AND table = 'network_close' AND active FORMAT TSVRaw");
        var kept = Directory.EnumerateFiles(merged.Split('\t')[1]).ToDictionary(file => file, System.IO.File.ReadAllBytes);
        foreach (var file in kept.Keys)
        {
            System.IO.File.WriteAllBytes(file, []);
        }

        try
        {
            var watching = await stack.StartAsync(options, running: false);
            await Eventually.TrueAsync(() => stack.Log.Lines.Any(line => line.Contains($"network_close/{merged.Split('\t')[0]}") && line.Contains("cannot be loaded anew")), "it is told");
            await Eventually.TrueAsync(() => stack.Log.Lines.Count(line => line.Contains("part_unreadable") && line.Contains("network_close")) == 1, "once");
            await watching.StopAsync();
        }
        finally
        {
            foreach (var (file, bytes) in kept)
            {
                System.IO.File.WriteAllBytes(file, bytes);
            }

            // They have no ledger rows: a worker that recovers would find them.
            await stack.ClickHouse.QueryAsync("ALTER TABLE network_close DELETE WHERE agent_id LIKE 'part-left-%' SETTINGS mutations_sync = 2");
        }
    }
}
