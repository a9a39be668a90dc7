namespace Streams.Storage.Tests;

/// <summary>What parts carry for queries of minutes: it is used, and says what the rows say.</summary>
[Collection(EngineCollection.Name)]
public sealed class ProjectionTests(Engine engine)
{
    private const string Rows = "10000";

    /// <summary>As a user writes them; `{0}` is the database.</summary>
    public static TheoryData<string, string> Queries => new()
    {
        { "programs", "SELECT filename, count() AS runs, uniq(uid) AS users FROM {0}.process_exec WHERE toStartOfMinute(received_at) >= toStartOfMinute(now() - INTERVAL 5 MINUTE) GROUP BY filename ORDER BY runs DESC, filename" },
        { "peers", "SELECT remote_address, remote_port, count() AS connections, quantile(0.99)(latency_us) AS p99 FROM {0}.network_connect WHERE toStartOfMinute(received_at) >= toStartOfMinute(now() - INTERVAL 5 MINUTE) GROUP BY ALL ORDER BY connections DESC, remote_port" },
        { "rate", "SELECT toStartOfInterval(received_at, INTERVAL 10 SECOND) AS t, count() AS events, uniq(agent_id) AS agents FROM {0}.network_connect WHERE t >= toStartOfInterval(now() - INTERVAL 1 HOUR, INTERVAL 10 SECOND) GROUP BY t ORDER BY t" },
    };

    [Theory]
    [MemberData(nameof(Queries))]
    public async Task A_query_of_whole_steps_reads_it_and_gets_what_the_rows_say(string projection, string query)
    {
        await using var database = await Database.CreateAsync(engine);
        await Engine.Migrator(database.Client).RunAsync(default);
        await InsertAsync(database, "'a'");
        await InsertAsync(database, "'b'");
        await SameAsync(database, projection, query);
        foreach (var table in (string[])["process_exec", "network_connect"])
        {
            await engine.QueryAsync($"OPTIMIZE TABLE {database.Name}.{table} FINAL");
        }

        await SameAsync(database, projection, query);
    }

    [Theory]
    [MemberData(nameof(Queries))]
    public async Task Parts_of_an_older_schema_are_counted_with_those_that_have_it(string projection, string query)
    {
        await using var database = await Database.CreateAsync(engine);
        await Engine.Migrator(database.Client).RunAsync(default);
        var table = projection == "programs" ? "process_exec" : "network_connect";
        await database.Client.ExecuteAsync($"ALTER TABLE {table} DROP PROJECTION {projection}");
        await InsertAsync(database, "'old'");
        Assert.StartsWith(
            $"ALTER TABLE {table} ADD PROJECTION IF NOT EXISTS {projection} (",
            Assert.Single(await Engine.Migrator(database.Client).RunAsync(default)),
            StringComparison.Ordinal);
        Assert.Empty(await Engine.Migrator(database.Client).RunAsync(default));
        await InsertAsync(database, "'new'");
        Assert.Equal("1\t2", await engine.QueryAsync(
            $"SELECT count(), (SELECT count() FROM system.parts WHERE active AND database = '{database.Name}' AND table = '{table}') FROM system.projection_parts "
            + $"WHERE active AND database = '{database.Name}' AND table = '{table}' AND name = '{projection}' FORMAT TSV"));
        await SameAsync(database, projection, query);
        await engine.QueryAsync($"OPTIMIZE TABLE {database.Name}.{table} FINAL");
        await SameAsync(database, projection, query);
    }

    [Fact]
    public async Task Rows_that_are_deleted_are_gone_from_it()
    {
        await using var database = await Database.CreateAsync(engine);
        await Engine.Migrator(database.Client).RunAsync(default);
        const string query = "SELECT filename, count() AS runs, uniq(uid) AS users FROM {0}.process_exec GROUP BY filename ORDER BY filename";
        await InsertAsync(database, "'a'");
        await InsertAsync(database, "'b'");
        await database.Client.ExecuteAsync("DELETE FROM process_exec WHERE agent_id = 'a'");
        await SameAsync(database, "programs", query);
        await database.Client.ExecuteAsync("ALTER TABLE process_exec DROP PARTITION ID '" + await engine.QueryAsync("SELECT toYYYYMMDD(now64(6, 'UTC'))") + "'");
        Assert.Equal("", await engine.QueryAsync(Text(database, query)));
    }

    [Fact]
    public async Task A_repeated_token_counts_once_in_it_too()
    {
        await using var database = await Database.CreateAsync(engine);
        await Engine.Migrator(database.Client).RunAsync(default);
        for (var i = 0; i < 3; i++)
        {
            await database.Client.ExecuteAsync(
                "INSERT INTO process_exec (agent_id, received_at, uid) SETTINGS async_insert = 0, insert_deduplication_token = 'once' SELECT 'a', now64(6), number FROM numbers(100)");
        }

        Assert.Equal("100\t100", await engine.QueryAsync(
            $"SELECT sum(c), sum(u) FROM (SELECT toStartOfMinute(received_at), filename, count() AS c, uniq(uid) AS u FROM {database.Name}.process_exec GROUP BY ALL) "
            + "SETTINGS force_optimize_projection_name = 'programs' FORMAT TSV"));
    }

    private static string Text(Database database, string query) => query.Replace("{0}", database.Name, StringComparison.Ordinal);

    /// <summary>Fewer rows of a group than `quantile` keeps all of (8,192): beyond that it is an estimate, of rows and of states.</summary>
    private static async Task InsertAsync(Database database, string agent)
    {
        await database.Client.ExecuteAsync(
            "INSERT INTO process_exec (agent_id, received_at, filename, uid) SETTINGS async_insert = 0 "
            + $"SELECT {agent}, now64(6), '/bin/' || toString(number % 7), number % 13 FROM numbers({Rows})");
        await database.Client.ExecuteAsync(
            "INSERT INTO network_connect (agent_id, received_at, remote_address, remote_port, latency_us) SETTINGS async_insert = 0 "
            + $"SELECT {agent}, now64(6), toIPv6('10.0.0.' || toString(number % 5)), 443 + number % 5, number FROM numbers({Rows})");
    }

    private async Task SameAsync(Database database, string projection, string query)
    {
        var sql = Text(database, query);
        var used = await engine.QueryAsync($"{sql} SETTINGS force_optimize_projection_name = '{projection}' FORMAT TSV");
        Assert.NotEmpty(used);
        Assert.Equal(await engine.QueryAsync($"{sql} SETTINGS optimize_use_projections = 0 FORMAT TSV"), used);
        Assert.Contains($"ReadFromMergeTree ({projection})", await engine.QueryAsync($"EXPLAIN {sql}"), StringComparison.Ordinal);
    }
}
