using Streams.Schema;

namespace Streams.Storage.Tests;

[Collection(EngineCollection.Name)]
public sealed class ReadBackTests(Engine engine)
{
    [Fact]
    public async Task Committed_lanes_are_what_the_ledger_holds_completely()
    {
        var e = Epoch.NewRandom();
        var agent = Batches.Origin("lanes");
        using var reader0 = Batches.Exec(new(e, 0, 0), 1, 3);
        using var reader1 = Batches.Exec(new(e, 0, 1), 4, 3);
        using var lane5 = Batches.Exec(new(e, 5, 0), 7, 3);
        using var ledger = Batches.Ledger((reader0, agent), (reader1, agent), (lane5, agent));
        Assert.Equal(InsertOutcome.Ok, (await engine.InsertAsync(ledger)).Outcome);

        // A batch of two entries of which only one arrived is not committed.
        await engine.QueryAsync(
            $"INSERT INTO loss_ledger (agent_id, received_at, epoch, epoch_low, lane, batch, entry, entries) "
            + $"VALUES ('lanes', fromUnixTimestamp64Micro(toInt64({Batches.Now})), {e.Prefix}, {e.Suffix}, 5, 1, 0, 2)");

        var reader = new StorageReader(engine.Client);
        Assert.Equal(
            [new CommittedLane("lanes", e, 0, 2, Batches.Now), new CommittedLane("lanes", e, 5, 1, Batches.Now)],
            await reader.CommittedLanesAsync(agentId: "lanes"));
        Assert.Empty(await reader.CommittedLanesAsync(Batches.Now + 1, "lanes"));
        Assert.Contains(await reader.CommittedLanesAsync(), l => l.AgentId == "lanes");
    }

    [Fact]
    public async Task Stored_batches_without_ledger_rows_are_found_in_every_table()
    {
        var e = Epoch.NewRandom();
        var agent = Batches.Origin("stored");
        using var exec0 = Batches.Exec(new(e, 0, 0), 1, 3);
        using var exec1 = Batches.Exec(new(e, 0, 1), 4, 5);
        using var barrier2 = Batches.Barrier(new(e, 0, 2), "process_exec", 0);
        using var elsewhere = Batches.Exec(new(e, 1, 1), 9, 5);
        using var rows = Batches.Block(ProcessClasses.Exec, (exec0, agent), (exec1, agent), (elsewhere, agent));
        using var barriers = Batches.Block(LedgerClasses.Barrier, (barrier2, agent));
        Assert.Equal(InsertOutcome.Ok, (await engine.InsertAsync(rows)).Outcome);
        Assert.Equal(InsertOutcome.Ok, (await engine.InsertAsync(barriers)).Outcome);

        var reader = new StorageReader(engine.Client);
        Assert.Equal(
            [new StoredBatch("process_exec", 1, 5, 5), new StoredBatch("ledger_barrier", 2, 1, 1)],
            await reader.StoredBatchesAsync("stored", e, 0, from: 1, since: Batches.Now));
        Assert.Equal(
            [new NamedBatch("stored", e.Prefix, 0, 0, 3, 3), new NamedBatch("stored", e.Prefix, 0, 1, 5, 5), new NamedBatch("stored", e.Prefix, 1, 1, 5, 5)],
            await reader.FindAsync("process_exec", [new BatchRange("stored", e, 0, 0, 7), new BatchRange("stored", e, 1, 1, 1), new BatchRange("other", e, 0, 0, 7)]));
        Assert.Empty(await reader.FindAsync("loss_ledger", [new BatchRange("stored", e, 0, 0, 7)]));
        await reader.ReadAsync("process_exec", [new BatchRange("stored", e, 0, 0, 7)]);
    }

    [Fact]
    public async Task Ledger_rows_hold_every_cause_and_every_entry()
    {
        var c = ProcessClasses.Exec;
        using var builder = new BatchBuilder(c);
        Assert.True(builder.TryBeginRow());
        builder.EndRow();
        var losses = Enum.GetValues<LossCause>()
            .Select(l => new LossCount(l, (ulong)l + 1))
            .Append(new LossCount((LossCause)500, 1000)).ToArray();
        var lost = losses.Aggregate(0UL, (sum, l) => sum + l.Count);
        Assert.True(builder.TryAddLedger(0, 1, 1, 1));
        Assert.True(builder.TryAddLedger(7, 10, 9 + lost, 0, losses));
        using var batch = Batches.Decode(builder, c, new BatchName(Batches.Epoch(0x74), 2, 9));
        using var block = Batches.Ledger((batch, Batches.Origin("causes")));
        Assert.Equal(InsertOutcome.Ok, (await engine.InsertAsync(block)).Outcome);
        var causes = string.Join('\t', LossCauses.Names.Select((_, i) => i == 0 ? 1001 : i + 1));
        Assert.Equal(
            $"causes.example\t{Batches.Now}\t2\t9\tprocess_exec\t3\t{Schema.Catalogue.Version}\t1\t1\t2\t7\t10\t{9 + lost}\t0\t{causes}",
            await engine.QueryAsync(
                $"SELECT host, toUnixTimestamp64Micro(received_at), lane, batch, class, priority, catalogue, "
            + $"batch_rows, entry, entries, cpu, first, last, rows, {string.Join(", ", LossCauses.Names.Select(n => "lost_" + n))} "
            + "FROM loss_ledger WHERE agent_id = 'causes' AND entry = 1 FORMAT TSV"));
    }

    [Fact]
    public async Task A_server_that_does_not_answer_is_named_with_the_limit()
    {
        using var silent = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        silent.Start();
        var url = new Uri($"http://{silent.LocalEndpoint}/");
        using var client = new StorageClient(new StorageOptions { Url = url, QueryTimeout = TimeSpan.FromMilliseconds(300) });
        var fault = await Assert.ThrowsAsync<TimeoutException>(() => client.CreateDatabaseAsync());
        Assert.Equal($"ClickHouse at {url} did not answer within 0.3 s", fault.Message);
        await Assert.ThrowsAsync<TimeoutException>(() => client.QueryAsync("SELECT 1", static _ => 0));
        using var stop = new CancellationTokenSource(TimeSpan.FromMilliseconds(50));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.ExecuteAsync("SELECT 1", stop.Token));
    }
}
