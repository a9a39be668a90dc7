using Streams.Testing;

namespace Streams.Storage.Tests;

/// <summary>
/// What the engine leaves of a merge that meets a full disk: a part whose files are all empty, in place of its sources (docs/adr/0018). A start must bring the rows back.
/// </summary>
public sealed class EmptyMergeTests
{
    [Fact]
    public async Task A_merged_part_of_empty_files_gives_way_to_its_sources_at_the_next_start()
    {
        await using var process = await ClickHouseProcess.StartAsync();
        using var client = new StorageClient(new StorageOptions { Url = process.Url, User = process.User, Password = process.Password });
        await Engine.Migrator(client).RunAsync(default);
        // Like it but for what is under test: when its sources are gone, nothing but the setting has kept those of process_exit.
        await client.ExecuteAsync("CREATE TABLE canary AS process_exit");
        await client.ExecuteAsync("ALTER TABLE canary MODIFY SETTING old_parts_lifetime = 0");
        for (var pid = 1; pid <= 5; pid++)
        {
            await InsertAsync(client, pid);
        }

        await client.ExecuteAsync("OPTIMIZE TABLE process_exit FINAL");
        await client.ExecuteAsync("OPTIMIZE TABLE canary FINAL");
        var merged = await process.QueryAsync("SELECT path FROM system.parts WHERE active AND table = 'process_exit' AND level > 0 FORMAT TSVRaw");
        Assert.NotEmpty(merged);
        await Eventually.TrueAsync(
            async () => await process.QueryAsync("SELECT count() FROM system.parts WHERE NOT active AND table = 'canary'") == "0",
            "the engine drops the sources that nothing keeps", TimeSpan.FromMinutes(2));
        await process.StopAsync();
        foreach (var file in Directory.EnumerateFiles(merged))
        {
            File.WriteAllBytes(file, []);
        }

        await process.RestartAsync();

        Assert.Equal("5\t15", await process.QueryAsync($"SELECT count(), sum(pid) FROM {client.Options.Database}.process_exit FORMAT TSV"));
        Assert.StartsWith("broken", await process.QueryAsync("SELECT reason FROM system.detached_parts WHERE table = 'process_exit' FORMAT TSV"), StringComparison.Ordinal);
    }

    /// <summary>A projection is a directory of the part, and may meet the full disk alone.</summary>
    [Fact]
    public async Task A_projection_of_empty_files_costs_no_row_and_no_answer()
    {
        await using var process = await ClickHouseProcess.StartAsync();
        using var client = new StorageClient(new StorageOptions { Url = process.Url, User = process.User, Password = process.Password });
        await Engine.Migrator(client).RunAsync(default);
        for (var pid = 1; pid <= 5; pid++)
        {
            await client.ExecuteAsync($"INSERT INTO process_exec (agent_id, received_at, pid) SETTINGS async_insert = 0 VALUES ('a', now64(6), {pid})");
        }

        await client.ExecuteAsync("OPTIMIZE TABLE process_exec FINAL");
        var merged = await process.QueryAsync("SELECT path FROM system.parts WHERE active AND table = 'process_exec' AND level > 0 FORMAT TSVRaw");
        await process.StopAsync();
        foreach (var file in Directory.EnumerateFiles(Path.Combine(merged, "programs.proj")))
        {
            File.WriteAllBytes(file, []);
        }

        await process.RestartAsync();

        var runs = $"SELECT sum(c) FROM (SELECT toStartOfMinute(received_at), filename, count() AS c, uniq(uid) FROM {client.Options.Database}.process_exec GROUP BY ALL)";
        Assert.Equal("5", await process.QueryAsync(runs));
        await client.ExecuteAsync("INSERT INTO process_exec (agent_id, received_at, pid) SETTINGS async_insert = 0 VALUES ('a', now64(6), 6)");
        await client.ExecuteAsync("OPTIMIZE TABLE process_exec FINAL");
        Assert.Equal("6", await process.QueryAsync(runs));
        Assert.Equal("6\t21", await process.QueryAsync($"SELECT count(), sum(pid) FROM {client.Options.Database}.process_exec FORMAT TSV"));
    }

    private static async Task InsertAsync(StorageClient client, int pid)
    {
        foreach (var table in new[] { "process_exit", "canary" })
        {
            await client.ExecuteAsync($"INSERT INTO {table} (agent_id, received_at, pid) SETTINGS async_insert = 0 VALUES ('a', now64(6), {pid})");
        }
    }
}
