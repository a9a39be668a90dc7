using System.Net;
using System.Net.Sockets;
using Streams.Schema;
using Streams.Testing;

namespace Streams.Storage.Tests;

[Collection(EngineCollection.Name)]
public sealed class InsertTests(Engine engine)
{
    [Fact]
    public async Task A_repeated_token_adds_nothing_and_is_never_a_success()
    {
        var e = Batches.Epoch(0x71);
        using var batch = Batches.Exec(new(e, 0, 0), 1, 100);
        using var block = Batches.Block(ProcessClasses.Exec, (batch, Batches.Origin("token")));
        BatchRange[] range = [new("token", e, 0, 0, 0)];
        var first = InsertToken.Compute("process_exec", range, [7], 0);
        Assert.Equal(InsertOutcome.Ok, (await engine.InsertAsync(block, first)).Outcome);
        Assert.Equal(InsertOutcome.InDoubt, (await engine.InsertAsync(block, first, repeated: true)).Outcome);
        Assert.Equal(100, await CountAsync("token"));
        Assert.Equal(InsertOutcome.Ok, (await engine.InsertAsync(block, InsertToken.Compute("process_exec", range, [7], 1))).Outcome);
        Assert.Equal(200, await CountAsync("token"));
    }

    [Fact]
    public void Tokens_depend_on_table_batches_and_attempt_and_on_no_order()
    {
        BatchRange a = new("a", Batches.Epoch(1), 0, 0, 3);
        BatchRange b = new("b", Batches.Epoch(1), 0, 0, 3);
        var token = InsertToken.Compute("t", [a, b], [7], 0);
        Assert.Equal(token, InsertToken.Compute("t", [b, a], [7], 0));
        Assert.Equal(64, token.Length);
        string[] others =
        [
            InsertToken.Compute("u", [a, b], [7], 0), InsertToken.Compute("t", [a], [7], 0), InsertToken.Compute("t", [a, b], [7], 1),
            InsertToken.Compute("t", [a, b with { Last = 4 }], [7], 0),
            InsertToken.Compute("t", [a, b with { Epoch = Batches.Epoch(2) }], [7], 0),
            InsertToken.Compute("t", [a, b], [8], 0), InsertToken.Compute("t", [a, b], [7, 8], 0),
        ];
        Assert.DoesNotContain(token, others);
        Assert.Equal(others.Length, others.Distinct().Count());
    }

    [Fact]
    public async Task A_right_that_ended_before_the_first_byte_sends_nothing()
    {
        var e = Batches.Epoch(0x72);
        using var batch = Batches.Exec(new(e, 0, 0), 1, 100);
        using var block = Batches.Block(ProcessClasses.Exec, (batch, Batches.Origin("withheld")));
        using var buffer = new SegmentedBuffer();
        using var metrics = new StorageMetrics();
        var inserter = new TableInserter(engine.Client, metrics);
        foreach (var may in (bool[])[false, true])
        {
            var result = await inserter.InsertAsync(
                block, buffer, $"withheld {may}", new InsertLabel("test", 9000), repeated: false, default, () => may);
            Assert.Equal(may ? InsertOutcome.Ok : InsertOutcome.Retry, result.Outcome);
            Assert.Equal(may ? 100 : 0, await CountAsync("withheld"));
        }
    }

    [Fact]
    public async Task Errors_of_the_engine_are_classified()
    {
        var missing = await engine.InsertAsync(new Broken("no_such_table", "UInt64"));
        Assert.Equal((InsertOutcome.Stop, 60), (missing.Outcome, missing.Code));

        await engine.QueryAsync("CREATE TABLE IF NOT EXISTS narrow (n UInt64) ENGINE = MergeTree ORDER BY n");
        var column = await engine.InsertAsync(new Broken("narrow", "UInt64", column: "other"));
        Assert.Equal((InsertOutcome.Stop, 16), (column.Outcome, column.Code));

        var text = await engine.InsertAsync(new Broken("narrow", "String")); // 'not a number' into UInt64
        Assert.Equal(InsertOutcome.Split, text.Outcome);

        var torn = await engine.InsertAsync(new Broken("narrow", "UInt64", torn: true));
        Assert.Equal(InsertOutcome.Split, torn.Outcome);
        Assert.NotEqual(0, torn.Code);
        Assert.Equal("0", await engine.QueryAsync("SELECT count() FROM narrow"));
    }

    [Fact]
    public async Task A_wrong_password_stops()
    {
        using var client = new StorageClient(engine.Options with { Password = "wrong" });
        var result = await InsertAsync(client);
        Assert.Equal((InsertOutcome.Stop, 516), (result.Outcome, result.Code));
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_retried_and_one_that_hangs_up_is_in_doubt()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        using var client = new StorageClient(
            engine.Options with { Url = new Uri($"http://127.0.0.1:{port}/"), InsertTimeout = TimeSpan.FromSeconds(5) });
        var accepted = Task.Run(async () =>
        {
            using var socket = await listener.AcceptSocketAsync();
            await socket.ReceiveAsync(new byte[65536]);
        });
        Assert.Equal(InsertOutcome.InDoubt, (await InsertAsync(client)).Outcome);
        await accepted;
        listener.Stop();
        Assert.Equal(InsertOutcome.Retry, (await InsertAsync(client)).Outcome);
    }

    [Fact]
    public async Task A_server_that_never_answers_is_in_doubt_after_the_time_limit()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        using var client = new StorageClient(
            engine.Options with { Url = new Uri($"http://127.0.0.1:{port}/"), InsertTimeout = TimeSpan.FromMilliseconds(300) });
        Assert.Equal(InsertOutcome.InDoubt, (await InsertAsync(client)).Outcome);
    }

    [Fact]
    public void An_owner_that_could_end_the_comment_is_refused() =>
        Assert.Throws<ArgumentException>(() => new InsertLabel("x */ DROP", 1).Comment);

    [Fact]
    public async Task The_probe_accepts_this_engine_and_leaves_nothing()
    {
        await new ServerProbe(engine.Client).DemandAsync(default);
        Assert.Equal("0", await engine.QueryAsync("SELECT count() FROM system.tables WHERE name LIKE 'streams_probe_%'"));
        Assert.Equal("0", await engine.QueryAsync("SELECT count() FROM system.tables WHERE name LIKE 'streams_probe_%'"));
    }

    [Fact]
    public async Task The_probe_refuses_a_server_that_does_not_deduplicate_and_leaves_nothing()
    {
        var port = Relay.FreePort();
        using var stop = new CancellationTokenSource();
        var relay = Relay.RunAsync(port, engine.Options.Url.Port, stop.Token, static request => request
            .Replace("insert_deduplicate=1", "insert_deduplicate=0", StringComparison.Ordinal)
            .Replace("deduplicate_insert=enable", "deduplicate_insert=disable", StringComparison.Ordinal));
        using var client = new StorageClient(engine.Options with { Url = new Uri($"http://127.0.0.1:{port}/") });
        var refused = await Assert.ThrowsAsync<UnfitServerException>(() => new ServerProbe(client).DemandAsync(default));
        Assert.Contains("left 3 rows instead of 2", refused.Message, StringComparison.Ordinal);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => relay);
        Assert.Equal("0", await engine.QueryAsync("SELECT count() FROM system.tables WHERE name LIKE 'streams_probe_%'"));
    }

    [Fact]
    public async Task Killing_the_inserts_of_an_owner_who_has_none_finds_none() =>
        Assert.Equal(0, await new StorageReader(engine.Client).KillInsertsAsync("nobody"));

    [Fact]
    public async Task A_running_insert_of_a_dead_owner_is_killed_and_others_go_on()
    {
        await engine.QueryAsync("CREATE TABLE IF NOT EXISTS slow (n UInt64) ENGINE = MergeTree ORDER BY n");
        var label = new InsertLabel("dead-owner", 1).Comment;
        var running = engine.Client.ExecuteAsync(
            $"{label} INSERT INTO slow SELECT sleepEachRow(0.05) + number FROM numbers(1200) SETTINGS max_block_size = 1");
        await Eventually.TrueAsync(
            async () => await engine.QueryAsync("SELECT count() FROM system.processes WHERE query LIKE '/* ingest dead-owner %'") == "1",
            "the insert does not show in system.processes");
        var reader = new StorageReader(engine.Client);
        Assert.Equal(0, await reader.KillInsertsAsync("dead-owne"));
        Assert.Equal(1, await reader.KillInsertsAsync("dead-owner"));
        var error = await Assert.ThrowsAsync<ClickHouse.Driver.ClickHouseServerException>(() => running);
        Assert.Equal(InsertOutcome.InDoubt, InsertErrors.Classify(error.ErrorCode));
    }

    private static async Task<InsertResult> InsertAsync(StorageClient client)
    {
        using var batch = Batches.Exec(new(Batches.Epoch(0x72), 0, 0), 1, 3);
        using var block = Batches.Block(ProcessClasses.Exec, (batch, Batches.Origin("away")));
        using var buffer = new SegmentedBuffer();
        using var metrics = new StorageMetrics();
        return await new TableInserter(client, metrics).InsertAsync(
            block, buffer, "t", new InsertLabel("test", 0), repeated: false, default);
    }

    private async Task<long> CountAsync(string agent) =>
        long.Parse(await engine.QueryAsync($"SELECT count() FROM process_exec WHERE agent_id = '{agent}'"), null);

    /// <summary>One row that the engine cannot take.</summary>
    private sealed class Broken(string table, string type, string column = "n", bool torn = false) : NativeBlock(new TableDefinition
    {
        Name = table,
        Columns = [new TableColumn(column, type, "", "")],
        PartitionBy = "",
        OrderBy = "",
    })
    {
        public override int Rows => 1;

        protected override void EncodeColumn(int ordinal, SegmentedBuffer buffer)
        {
            if (type == "String")
            {
                buffer.WriteString("not a number");
            }
            else if (torn)
            {
                buffer.Fill<byte>(1, 3);
            }
            else
            {
                buffer.WriteUInt64(1);
            }
        }
    }
}
