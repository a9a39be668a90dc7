using Streams.Schema;

namespace Streams.Storage.Tests;

[Collection(EngineCollection.Name)]
public sealed class MigratorTests(Engine engine)
{
    [Fact]
    public async Task A_second_run_changes_nothing_and_the_first_is_recorded()
    {
        Assert.Empty(await Engine.Migrator(engine.Client).RunAsync(default));
        Assert.Equal($"19\t8\t{Catalogue.Version}\ttest", await engine.QueryAsync(
            "SELECT countIf(change LIKE 'CREATE TABLE%'), any(version), any(catalogue), any(owner) FROM schema_version "
            + "WHERE change NOT LIKE 'ALTER%' FORMAT TSV"));
    }

    [Fact]
    public async Task Tables_are_durable_partitioned_by_day_and_expire()
    {
        foreach (var table in StorageSchema.Tables(engine.Options))
        {
            var sql = await engine.QueryAsync(
                $"SELECT create_table_query FROM system.tables WHERE name = '{table.Name}' AND database = currentDatabase() FORMAT TSVRaw");
            Assert.All(TableDefinition.Settings.Concat(TableDefinition.Savings), s => Assert.Contains($"{s.Key} = {s.Value}", sql, StringComparison.Ordinal));
            Assert.Contains($"PARTITION BY {table.PartitionBy}", sql, StringComparison.Ordinal);
            if (table.Name == "agent_identity")
            {
                // Identities are made from it when the queue was lost, however long ago they were enrolled.
                Assert.DoesNotContain("TTL", sql, StringComparison.Ordinal);
                continue;
            }

            Assert.Contains(
                table.Name is LedgerTable.Name or LedgerStateTable.Name or "batch_proof" ? "toIntervalDay(400)" : "toIntervalDay(30)", sql, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_missing_column_is_added_with_its_default_and_in_its_place()
    {
        await using var database = await Database.CreateAsync(engine);
        await Engine.Migrator(database.Client).RunAsync(default);
        await database.Client.ExecuteAsync("ALTER TABLE process_exit DROP COLUMN exit_code");
        var changes = await Engine.Migrator(database.Client).RunAsync(default);
        Assert.Contains("ADD COLUMN IF NOT EXISTS exit_code Int32", Assert.Single(changes), StringComparison.Ordinal);
        Assert.Equal("comm\nexit_code\nexit_signal", await engine.QueryAsync(
            $"SELECT name FROM system.columns WHERE database = '{database.Name}' "
            + "AND table = 'process_exit' AND name IN ('comm', 'exit_code', 'exit_signal') ORDER BY position"));
    }

    [Fact]
    public async Task The_ledger_of_the_first_schema_gets_its_revision_and_keeps_its_rows()
    {
        await using var database = await Database.CreateAsync(engine);
        await Engine.Migrator(database.Client).RunAsync(default);
        await database.Client.ExecuteAsync("DROP VIEW ledger_balance");
        await database.Client.ExecuteAsync("ALTER TABLE loss_ledger DROP COLUMN revision");
        await database.Client.ExecuteAsync(
            "INSERT INTO loss_ledger (agent_id, received_at, lane, entries) SETTINGS async_insert = 0 VALUES ('old', now64(6), 1, 1)");
        var changes = await Engine.Migrator(database.Client).RunAsync(default);
        Assert.Contains("ADD COLUMN IF NOT EXISTS revision UInt8", Assert.Single(changes), StringComparison.Ordinal);
        Assert.Equal("old\t0", await engine.QueryAsync($"SELECT agent_id, revision FROM {database.Name}.loss_ledger FORMAT TSV"));
    }

    [Fact]
    public async Task An_index_that_an_older_schema_lacks_is_added_once()
    {
        await using var database = await Database.CreateAsync(engine);
        await Engine.Migrator(database.Client).RunAsync(default);
        await database.Client.ExecuteAsync("ALTER TABLE process_exit DROP INDEX received_range");
        Assert.Equal(
            "ALTER TABLE process_exit ADD INDEX IF NOT EXISTS received_range received_at TYPE minmax GRANULARITY 1",
            Assert.Single(await Engine.Migrator(database.Client).RunAsync(default)));
        Assert.Empty(await Engine.Migrator(database.Client).RunAsync(default));
    }

    [Fact]
    public async Task Codecs_of_an_older_schema_are_set_once_and_its_rows_stay()
    {
        await using var database = await Database.CreateAsync(engine);
        await Engine.Migrator(database.Client).RunAsync(default);
        await database.Client.ExecuteAsync(
            "ALTER TABLE process_exit MODIFY COLUMN pid REMOVE CODEC, MODIFY COLUMN time CODEC(Delta(8), LZ4)");
        await database.Client.ExecuteAsync(
            "INSERT INTO process_exit (agent_id, received_at, pid) SETTINGS async_insert = 0 VALUES ('old', now64(6), 7)");
        var changes = await Engine.Migrator(database.Client).RunAsync(default);
        Assert.Equal(
            "ALTER TABLE process_exit MODIFY COLUMN time CODEC(Delta(8), ZSTD(1)), MODIFY COLUMN pid CODEC(T64, LZ4)", Assert.Single(changes));
        Assert.Empty(await Engine.Migrator(database.Client).RunAsync(default));
        Assert.Equal("7", await engine.QueryAsync($"SELECT pid FROM {database.Name}.process_exit"));
    }

    [Fact]
    public async Task Settings_of_an_older_schema_are_set_once()
    {
        await using var database = await Database.CreateAsync(engine);
        await Engine.Migrator(database.Client).RunAsync(default);
        await database.Client.ExecuteAsync("ALTER TABLE process_exit RESET SETTING old_parts_lifetime");
        Assert.Equal(
            "ALTER TABLE process_exit MODIFY SETTING old_parts_lifetime = 480", Assert.Single(await Engine.Migrator(database.Client).RunAsync(default)));
        Assert.Empty(await Engine.Migrator(database.Client).RunAsync(default));
    }

    [Fact]
    public async Task A_column_of_another_type_is_named_and_nothing_is_changed()
    {
        await using var database = await Database.CreateAsync(engine);
        await database.Client.ExecuteAsync(
            "CREATE TABLE process_exec (agent_id LowCardinality(String), pid UInt64, received_at DateTime64(6, 'UTC')) "
            + "ENGINE = MergeTree ORDER BY pid");
        var error = await Assert.ThrowsAsync<SchemaMismatchException>(() => Engine.Migrator(database.Client).RunAsync(default));
        Assert.Equal(("process_exec", "pid", "UInt32", "UInt64"), (error.Table, error.Column, error.Expected, error.Found));
        Assert.Equal("3", await engine.QueryAsync(
            $"SELECT count() FROM system.columns WHERE database = '{database.Name}' AND table = 'process_exec'"));
    }

    [Fact]
    public async Task A_new_retention_is_applied()
    {
        await using var database = await Database.CreateAsync(engine);
        await Engine.Migrator(database.Client).RunAsync(default);
        using var shorter = new StorageClient(database.Client.Options with { RetentionDays = 7 });
        var changes = await Engine.Migrator(shorter).RunAsync(default);
        Assert.Equal(Schema.Catalogue.Classes.Count, changes.Count); // the ledger, the proofs and the identities keep their own
        Assert.All(changes, c => Assert.Contains("MODIFY TTL", c, StringComparison.Ordinal));
        Assert.Empty(await Engine.Migrator(shorter).RunAsync(default));
    }

    [Theory]
    [InlineData("version + 1", "catalogue")]
    [InlineData("version", "catalogue + 1")]
    public async Task Views_and_retentions_of_a_newer_build_stay_and_missing_columns_are_added(string version, string catalogue)
    {
        await using var database = await Database.CreateAsync(engine);
        await Engine.Migrator(database.Client).RunAsync(default);
        await database.Client.ExecuteAsync("CREATE OR REPLACE VIEW ledger_balance AS SELECT 42 AS newer");
        await database.Client.ExecuteAsync("ALTER TABLE process_exec MODIFY TTL toDateTime(received_at) + toIntervalDay(3)");
        await database.Client.ExecuteAsync("ALTER TABLE process_exit DROP COLUMN exit_code");
        await database.Client.ExecuteAsync(
            $"INSERT INTO schema_version SELECT {version}, {catalogue}, now64(6), 'newer', 'views' FROM schema_version LIMIT 1");
        Assert.Contains("exit_code", Assert.Single(await Engine.Migrator(database.Client).RunAsync(default)), StringComparison.Ordinal);
        Assert.Equal("42", await engine.QueryAsync($"SELECT newer FROM {database.Name}.ledger_balance"));
        var sql = await engine.QueryAsync(
            $"SELECT create_table_query FROM system.tables WHERE database = '{database.Name}' AND name = 'process_exec' FORMAT TSVRaw");
        Assert.Contains("toIntervalDay(3)", sql, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_the_lease_nothing_is_done()
    {
        await using var database = await Database.CreateAsync(engine);
        var lease = new BusyOnce();
        var migrator = new Migrator(
            database.Client, lease, "test", Microsoft.Extensions.Logging.Abstractions.NullLogger<Migrator>.Instance);
        Assert.NotEmpty(await migrator.RunAsync(default));
        Assert.Equal(2, lease.Asked);
        Assert.True(lease.Released);
    }

    [Theory]
    [InlineData(0, 400)]
    [InlineData(30, 30)]
    public void Retentions_out_of_range_are_refused(int rows, int ledger) => Assert.Throws<ArgumentException>(
        () => new StorageOptions { Url = new Uri("http://127.0.0.1/"), RetentionDays = rows, LedgerRetentionDays = ledger }.Validate());

    private sealed class BusyOnce : IMigrationLease, IAsyncDisposable
    {
        internal int Asked { get; private set; }

        internal bool Released { get; private set; }

        public ValueTask<IAsyncDisposable?> TryAcquireAsync(string owner, CancellationToken cancellation) =>
            new(Asked++ == 0 ? null : this);

        public ValueTask DisposeAsync()
        {
            Released = true;
            return ValueTask.CompletedTask;
        }
    }
}
