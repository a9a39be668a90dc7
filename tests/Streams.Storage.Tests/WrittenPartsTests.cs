using Streams.Testing;

namespace Streams.Storage.Tests;

/// <summary>Parts that cannot be read are found, and their table's parts are loaded anew, while the engine runs.</summary>
[Collection(EngineCollection.Name)]
public sealed class WrittenPartsTests(Engine engine)
{
    private static readonly TimeSpan Span = TimeSpan.FromMinutes(15);

    [Fact]
    public async Task A_part_of_empty_files_is_found_among_others_and_a_reload_brings_its_rows_back()
    {
        await using var database = await MigratedAsync();
        var parts = new WrittenParts(database.Client);
        foreach (var pid in new[] { 1, 2, 3 })
        {
            await InsertAsync(database.Client, "process_exit", pid);
            await InsertAsync(database.Client, "process_exec", pid);
            // Generations of merges, which overlap.
            await database.Client.ExecuteAsync("OPTIMIZE TABLE process_exit FINAL");
            await database.Client.ExecuteAsync("OPTIMIZE TABLE process_exec FINAL");
        }

        var listed = await parts.ListAsync(Span);
        Assert.Equal(["process_exec", "process_exit"], listed.Select(part => part.Table).Order());
        Assert.All(listed, part => Assert.Equal((3, false), (part.Rows, part.IsInsert)));
        await EmptyAsync(database, "process_exit");

        var found = Assert.Single(await parts.FindUnreadableAsync(listed));
        Assert.Equal("process_exit", found.Part.Table);
        Assert.Contains("Empty marks file", found.Why, StringComparison.Ordinal);

        // What uses the table meanwhile ends first.
        var slow = database.Client.QueryAsync("SELECT pid, sleep(1) FROM process_exit WHERE pid < 0 OR sleep(1) = 0 OR _part != ''", static r => r.GetValue(0));
        Assert.Null(await parts.TryReloadAsync("process_exit"));
        await slow.ContinueWith(static _ => { }, TaskScheduler.Default);

        Assert.Empty(await parts.FindUnreadableAsync([found.Part]));
        var fate = await parts.FateAsync(found.Part);
        Assert.Equal((true, 3), (fate.IsThere, fate.Rows));
        Assert.Equal("3\t6", await engine.QueryAsync($"SELECT count(), sum(pid) FROM {database.Name}.process_exit FORMAT TSV"));
    }

    [Fact]
    public async Task A_part_that_an_insert_made_is_found_too_and_set_aside()
    {
        await using var database = await MigratedAsync();
        var parts = new WrittenParts(database.Client);
        await InsertAsync(database.Client, "process_exit", 1);
        var part = Assert.Single(await parts.ListAsync(Span));
        Assert.Equal((1, true), (part.Rows, part.IsInsert));
        await EmptyAsync(database, "process_exit");
        Assert.Equal(part, Assert.Single(await parts.FindUnreadableAsync([part])).Part);
        Assert.Null(await parts.TryReloadAsync("process_exit"));
        var fate = await parts.FateAsync(part);
        Assert.Equal((true, false, 0), (fate.IsThere, fate.IsActive, fate.Rows));
        Assert.Equal("0", await engine.QueryAsync($"SELECT count() FROM {database.Name}.process_exit FORMAT TSV"));
    }

    [Fact]
    public async Task Names_without_their_other_columns_are_no_evidence_for_a_recovery()
    {
        await using var database = await MigratedAsync();
        var recovery = new UncommittedReader(database.Client);
        await database.Client.ExecuteAsync("ALTER TABLE process_exit MODIFY SETTING min_bytes_for_wide_part = 0, min_rows_for_wide_part = 0");
        await InsertAsync(database.Client, "process_exit", 1);
        await EmptyAsync(database, "process_exit", "pid.*");
        Assert.Equal("a", await engine.QueryAsync($"SELECT agent_id FROM {database.Name}.process_exit FORMAT TSV"));
        await Assert.ThrowsAsync<ClickHouse.Driver.ClickHouseServerException>(() => recovery.ReadAsync([], 0, 0));
        // Nor is it noted, which would be taken for evidence by the next.
        await Assert.ThrowsAsync<ClickHouse.Driver.ClickHouseServerException>(() => recovery.ReadAsync([], 0, 0));
        Assert.Null(await new WrittenParts(database.Client).TryReloadAsync("process_exit"));
        Assert.Empty(await recovery.ReadAsync([], 0, 0));
    }

    [Fact]
    public async Task A_database_that_does_not_wait_for_inserts_is_left_alone()
    {
        // `default` of libchdb is an overlay.
        var refused = await new WrittenParts(engine.Client).TryReloadAsync("process_exit");
        Assert.Contains("only Atomic waits", refused, StringComparison.Ordinal);
        Assert.Equal("1", await engine.QueryAsync("SELECT count() FROM system.tables WHERE database = 'default' AND name = 'process_exit' FORMAT TSV"));
    }

    [Fact]
    public async Task An_insert_that_runs_while_its_table_is_loaded_anew_is_in_it_once_or_not_acknowledged()
    {
        await using var database = await MigratedAsync();
        var parts = new WrittenParts(database.Client);
        using var stop = new CancellationTokenSource();
        var acknowledged = new List<int>();
        var inDoubt = new List<int>();
        var inserting = Task.Run(async () =>
        {
            for (var pid = 1; !stop.IsCancellationRequested; pid++)
            {
                try
                {
                    await InsertAsync(database.Client, "process_exit", pid);
                    acknowledged.Add(pid);
                }
                catch (ClickHouse.Driver.ClickHouseServerException away)
                {
                    // UNKNOWN_TABLE between the two statements; ABORTED is one that was on its way, and is in doubt for the worker too.
                    Assert.Contains(InsertErrors.Classify(away.ErrorCode), new[] { InsertOutcome.Stop, InsertOutcome.InDoubt });
                    inDoubt.Add(pid);
                }
            }
        });
        for (var round = 0; round < 20; round++)
        {
            Assert.Null(await parts.TryReloadAsync("process_exit"));
        }

        await stop.CancelAsync();
        await inserting;
        var stored = (await database.Client.QueryAsync("SELECT pid FROM process_exit", static r => Convert.ToInt32(r.GetValue(0), System.Globalization.CultureInfo.InvariantCulture))).ToArray();
        Assert.NotEmpty(acknowledged);
        Assert.Equal(stored.Distinct().Count(), stored.Length);
        Assert.Empty(acknowledged.Except(stored));
        Assert.Empty(stored.Except(acknowledged).Except(inDoubt));
    }

    [Fact]
    public async Task Rows_whose_sources_are_gone_are_counted_as_gone()
    {
        await using var database = await MigratedAsync();
        var parts = new WrittenParts(database.Client);
        await database.Client.ExecuteAsync("ALTER TABLE process_exit MODIFY SETTING old_parts_lifetime = 0");
        await InsertAsync(database.Client, "process_exit", 1);
        await InsertAsync(database.Client, "process_exit", 2);
        await database.Client.ExecuteAsync("OPTIMIZE TABLE process_exit FINAL");
        var part = Assert.Single(await parts.ListAsync(Span));
        await Eventually.TrueAsync(
            async () => await engine.QueryAsync($"SELECT count() FROM system.parts WHERE database = '{database.Name}' AND table = 'process_exit' AND NOT active FORMAT TSV") == "0",
            "the engine drops the sources", TimeSpan.FromMinutes(2));
        await EmptyAsync(database, "process_exit");
        Assert.Single(await parts.FindUnreadableAsync([part]));
        Assert.Null(await parts.TryReloadAsync("process_exit"));
        var fate = await parts.FateAsync(part);
        Assert.Equal((true, false, 0), (fate.IsThere, fate.IsActive, fate.Rows));
        Assert.Equal("0", await engine.QueryAsync($"SELECT count() FROM {database.Name}.process_exit FORMAT TSV"));
        Assert.Equal("1", await engine.QueryAsync($"SELECT count() FROM system.detached_parts WHERE database = '{database.Name}' FORMAT TSV"));
    }

    [Fact]
    public async Task A_table_that_somebody_left_detached_is_attached_by_a_look_and_by_a_start()
    {
        await using var database = await MigratedAsync();
        await InsertAsync(database.Client, "process_exit", 7);
        await database.Client.ExecuteAsync("DETACH TABLE process_exit SYNC");
        Assert.Equal(["process_exit"], await new WrittenParts(database.Client).AttachMissingAsync());
        Assert.Empty(await new WrittenParts(database.Client).AttachMissingAsync());
        await database.Client.ExecuteAsync("DETACH TABLE process_exit SYNC");
        await Engine.Migrator(database.Client).RunAsync(default);
        Assert.Equal("7", await engine.QueryAsync($"SELECT pid FROM {database.Name}.process_exit FORMAT TSV"));
    }

    private async Task<Database> MigratedAsync()
    {
        var database = await Database.CreateAsync(engine);
        await Engine.Migrator(database.Client).RunAsync(default);
        return database;
    }

    private static Task InsertAsync(StorageClient client, string table, int pid) =>
        client.ExecuteAsync($"INSERT INTO {table} (agent_id, received_at, pid) SETTINGS async_insert = 0 VALUES ('a', now64(6), {pid})");

    private async Task EmptyAsync(Database database, string table, string files = "*")
    {
        var path = await engine.QueryAsync($"SELECT path FROM system.parts WHERE active AND database = '{database.Name}' AND table = '{table}' FORMAT TSVRaw");
        foreach (var file in Directory.EnumerateFiles(path, files))
        {
            File.WriteAllBytes(file, []);
        }
    }
}
