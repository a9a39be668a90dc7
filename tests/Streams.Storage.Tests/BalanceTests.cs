using Streams.Schema;

namespace Streams.Storage.Tests;

/// <summary>The view against data made by hand. Each test is an agent of its own.</summary>
[Collection(EngineCollection.Name)]
public sealed class BalanceTests(Engine engine)
{
    [Fact]
    public async Task Rows_and_counted_losses_balance_at_the_latest_barrier()
    {
        // seq 1-10 stored, 11-13 lost, 14-20 stored; barrier at 20; 21-25 stored after it.
        var agent = Batches.Origin("balanced");
        var e = Batches.Epoch(0x61);
        using var one = Batches.Exec(new(e, 0, 0), 1, 10, ringFull: 3, sensor: e);
        using var two = Batches.Exec(new(e, 0, 1), 14, 7, sensor: e);
        using var early = Batches.Barrier(new(e, 0, 2), "process_exec", 13, sensor: e);
        using var late = Batches.Barrier(new(e, 0, 3), "process_exec", 20, sensor: e);
        using var three = Batches.Exec(new(e, 0, 4), 21, 5, sensor: e);
        await InsertAsync(ProcessClasses.Exec, (one, agent), (two, agent), (three, agent));
        await InsertAsync(LedgerClasses.Barrier, (early, agent), (late, agent));
        await InsertLedgerAsync((one, agent), (two, agent), (three, agent), (early, agent), (late, agent));
        Assert.Equal("process_exec\t0\t20\t17\t3\t0\t0\tbalanced", await BalanceAsync("balanced"));
    }

    [Fact]
    public async Task It_is_open_until_the_ledger_covers_the_barrier_without_a_hole()
    {
        var agent = Batches.Origin("open");
        var e = Batches.Epoch(0x62);
        using var one = Batches.Exec(new(e, 0, 0), 1, 10, sensor: e);
        using var two = Batches.Exec(new(e, 0, 1), 11, 10, sensor: e);
        using var barrier = Batches.Barrier(new(e, 1, 0), "process_exec", 20, sensor: e);
        await InsertAsync(LedgerClasses.Barrier, (barrier, agent));
        Assert.Equal("process_exec\t0\t20\t0\t0\t20\t0\topen", await BalanceAsync("open"));
        await InsertAsync(ProcessClasses.Exec, (two, agent));
        await InsertLedgerAsync((two, agent)); // the live lane came before the backlog
        Assert.Equal("process_exec\t0\t20\t10\t0\t10\t0\topen", await BalanceAsync("open"));
        await InsertAsync(ProcessClasses.Exec, (one, agent));
        await InsertLedgerAsync((one, agent));
        Assert.Equal("process_exec\t0\t20\t20\t0\t0\t0\tbalanced", await BalanceAsync("open"));
    }

    [Fact]
    public async Task Rows_that_the_ledger_claims_and_the_table_lacks_are_found()
    {
        var agent = Batches.Origin("unbalanced");
        var e = Batches.Epoch(0x63);
        using var one = Batches.Exec(new(e, 0, 0), 1, 10, sensor: e);
        using var barrier = Batches.Barrier(new(e, 0, 1), "process_exec", 10, sensor: e);
        await InsertAsync(LedgerClasses.Barrier, (barrier, agent));
        await InsertLedgerAsync((one, agent), (barrier, agent));
        Assert.Equal("process_exec\t0\t10\t0\t0\t10\t0\tunbalanced", await BalanceAsync("unbalanced"));
    }

    [Fact]
    public async Task Doubled_rows_are_found()
    {
        var agent = Batches.Origin("doubled");
        var e = Batches.Epoch(0x64);
        using var one = Batches.Exec(new(e, 0, 0), 1, 10, sensor: e);
        using var barrier = Batches.Barrier(new(e, 0, 1), "process_exec", 10, sensor: e);
        await InsertAsync(LedgerClasses.Barrier, (barrier, agent));
        await InsertAsync(ProcessClasses.Exec, (one, agent));
        await InsertAsync(ProcessClasses.Exec, (one, agent)); // another token
        await InsertLedgerAsync((one, agent), (barrier, agent));
        Assert.Equal("process_exec\t0\t10\t20\t0\t-10\t0\tunbalanced", await BalanceAsync("doubled"));
    }

    [Fact]
    public async Task Processors_classes_and_sensors_are_apart_and_a_quiet_one_is_balanced()
    {
        var agent = Batches.Origin("apart");
        var e = Batches.Epoch(0x65);
        var other = Batches.Epoch(0x66);
        using var one = Batches.Exec(new(e, 0, 0), 1, 4, cpu: 1, sensor: e);
        using var two = Batches.Exec(new(e, 0, 1), 1, 2, cpu: 1, sensor: other);
        using var b1 = Batches.Barrier(new(e, 0, 2), "process_exec", 4, cpu: 1, sensor: e);
        using var b2 = Batches.Barrier(new(e, 0, 3), "process_exec", 2, cpu: 1, sensor: other);
        using var b3 = Batches.Barrier(new(e, 0, 4), "network_close", 0, cpu: 1, sensor: e);
        await InsertAsync(ProcessClasses.Exec, (one, agent), (two, agent));
        await InsertAsync(LedgerClasses.Barrier, (b1, agent), (b2, agent), (b3, agent));
        await InsertLedgerAsync((one, agent), (two, agent), (b1, agent), (b2, agent), (b3, agent));
        Assert.Equal(
            "network_close\t1\t0\t0\t0\t0\t0\tbalanced\nprocess_exec\t1\t2\t2\t0\t0\t0\tbalanced\nprocess_exec\t1\t4\t4\t0\t0\t0\tbalanced",
            await BalanceAsync("apart"));
    }

    private Task<string> BalanceAsync(string agent) => engine.QueryAsync(
        $"SELECT class, cpu, stamped, stored, lost, difference, lost_unknown, state FROM ledger_balance "
            + $"WHERE agent_id = '{agent}' ORDER BY class, stamped FORMAT TSV");

    private async Task InsertAsync(EventClass eventClass, params (DecodedBatch, BatchOrigin)[] batches)
    {
        using var block = Batches.Block(eventClass, batches);
        Assert.Equal(InsertOutcome.Ok, (await engine.InsertAsync(block)).Outcome);
    }

    private async Task InsertLedgerAsync(params (DecodedBatch, BatchOrigin)[] batches)
    {
        using var block = Batches.Ledger(batches);
        Assert.Equal(InsertOutcome.Ok, (await engine.InsertAsync(block)).Outcome);
    }
}
