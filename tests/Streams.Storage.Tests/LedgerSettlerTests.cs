using Streams.Schema;

namespace Streams.Storage.Tests;

/// <summary>What is settled stays settled, what is wrong is told once. Each test is an agent of its own.</summary>
[Collection(EngineCollection.Name)]
public sealed class LedgerSettlerTests(Engine engine)
{
    [Fact]
    public async Task A_settled_balance_outlives_its_rows_and_the_next_part_is_counted_alone()
    {
        var agent = Batches.Origin("settled");
        var e = Batches.Epoch(0x71);
        using var one = Batches.Exec(new(e, 0, 0), 1, 10, ringFull: 2, sensor: e);
        using var barrier = Batches.Barrier(new(e, 1, 0), "process_exec", 12, sensor: e);
        await StoreAsync(ProcessClasses.Exec, (one, agent));
        await StoreAsync(LedgerClasses.Barrier, (barrier, agent));
        Assert.Empty(await SettleAsync("settled"));
        Assert.Equal("12\t10\t0\t2\t0\tbalanced", await SettledAsync("settled"));

        // As after the retention of the rows.
        await engine.QueryAsync("ALTER TABLE process_exec DELETE WHERE agent_id = 'settled' SETTINGS mutations_sync = 2");
        Assert.Equal("12\t10\t2\t0\tbalanced", await BalanceAsync("settled"));
        using var two = Batches.Exec(new(e, 0, 1), 13, 5, sensor: e);
        using var later = Batches.Barrier(new(e, 1, 1), "process_exec", 17, sensor: e);
        await StoreAsync(ProcessClasses.Exec, (two, agent));
        await StoreAsync(LedgerClasses.Barrier, (later, agent));
        Assert.Equal("17\t15\t2\t0\tbalanced", await BalanceAsync("settled"));
        Assert.Empty(await SettleAsync("settled"));
        Assert.Equal("17\t15\t0\t2\t0\tbalanced", await SettledAsync("settled"));
    }

    [Fact]
    public async Task A_missing_row_is_told_once_with_its_numbers_and_stays_unbalanced()
    {
        var agent = Batches.Origin("missing");
        var e = Batches.Epoch(0x72);
        using var one = Batches.Exec(new(e, 0, 0), 1, 10, sensor: e);
        using var barrier = Batches.Barrier(new(e, 1, 0), "process_exec", 10, sensor: e);
        await StoreAsync(ProcessClasses.Exec, (one, agent));
        await engine.QueryAsync("ALTER TABLE process_exec DELETE WHERE agent_id = 'missing' AND seq = 4 SETTINGS mutations_sync = 2");
        await StoreAsync(LedgerClasses.Barrier, (barrier, agent));
        var finding = Assert.Single(await SettleAsync("missing"));
        Assert.Equal((0ul, 10ul, 9ul, 0ul, 0ul, 1L), (finding.From, finding.Stamped, finding.Stored, finding.Doubled, finding.Lost, finding.Difference));
        Assert.Equal("numbers 1 to 10: 9 rows, 0 of them doubled, 0 lost, 0 of them without cause, difference 1", finding.Describe());
        Assert.Empty(await SettleAsync("missing"));
        Assert.Equal("10\t9\t0\t1\tunbalanced", await BalanceAsync("missing"));

        using var two = Batches.Exec(new(e, 0, 1), 11, 5, sensor: e);
        using var later = Batches.Barrier(new(e, 1, 1), "process_exec", 15, sensor: e);
        await StoreAsync(ProcessClasses.Exec, (two, agent));
        await StoreAsync(LedgerClasses.Barrier, (later, agent));
        Assert.Empty(await SettleAsync("missing"));
        Assert.Equal("15\t14\t0\t1\tunbalanced", await BalanceAsync("missing"));
    }

    [Fact]
    public async Task A_hole_that_stays_is_found_and_a_covered_or_young_sequence_is_not()
    {
        var agent = Batches.Origin("hole");
        var e = Batches.Epoch(0x7C);
        using var one = Batches.Exec(new(e, 0, 0), 1, 10, sensor: e);
        using var three = Batches.Exec(new(e, 0, 2), 15, 5, sensor: e);
        using var barrier = Batches.Barrier(new(e, 1, 0), "process_exec", 19, sensor: e);
        await StoreAsync(ProcessClasses.Exec, (one, agent), (three, agent));
        await StoreAsync(LedgerClasses.Barrier, (barrier, agent));
        Assert.Empty(await SettleAsync("hole"));
        var hole = Assert.Single(await HolesAsync("hole", DateTimeOffset.UtcNow.AddMinutes(1)));
        Assert.Equal((10ul, 19ul), (hole.Covered, hole.Stamped));
        Assert.Equal("numbers 11 to 19: no batch and no counted loss begins at 11", hole.Describe());
        Assert.Empty(await HolesAsync("hole", DateTimeOffset.UtcNow.AddDays(-1)));

        using var two = Batches.Exec(new(e, 0, 1), 11, 4, sensor: e);
        await StoreAsync(ProcessClasses.Exec, (two, agent));
        Assert.Empty(await HolesAsync("hole", DateTimeOffset.UtcNow.AddMinutes(1)));
        Assert.Empty(await SettleAsync("hole"));
        Assert.Empty(await HolesAsync("hole", DateTimeOffset.UtcNow.AddMinutes(1)));
    }

    [Fact]
    public async Task What_is_wrong_for_a_moment_is_not_told()
    {
        var agent = Batches.Origin("moment");
        var e = Batches.Epoch(0x7B);
        using var one = Batches.Exec(new(e, 0, 0), 1, 10, sensor: e);
        using var barrier = Batches.Barrier(new(e, 1, 0), "process_exec", 10, sensor: e);
        await StoreAsync(LedgerClasses.Barrier, (barrier, agent));
        using (var ledger = Batches.Ledger((one, agent)))
        {
            Assert.Equal(InsertOutcome.Ok, (await engine.InsertAsync(ledger)).Outcome);
        }

        var settler = new LedgerSettler(engine.Client);
        await settler.SettleAsync(DateTimeOffset.UtcNow.AddDays(-2), TimeSpan.Zero, finding => Assert.NotEqual("moment", finding.AgentId));
        using (var block = Batches.Block(ProcessClasses.Exec, (one, agent)))
        {
            Assert.Equal(InsertOutcome.Ok, (await engine.InsertAsync(block)).Outcome);
        }

        await settler.SettleAsync(DateTimeOffset.UtcNow.AddDays(-2), TimeSpan.Zero, finding => Assert.NotEqual("moment", finding.AgentId));
        Assert.Equal("10\t10\t0\t0\t0\tbalanced", await SettledAsync("moment"));
    }

    [Fact]
    public async Task A_missing_and_a_doubled_row_do_not_cancel_out()
    {
        var agent = Batches.Origin("cancel");
        var e = Batches.Epoch(0x73);
        using var one = Batches.Exec(new(e, 0, 0), 1, 10, sensor: e);
        using var again = Batches.Exec(new(e, 7, 0), 5, 1, sensor: e);
        using var barrier = Batches.Barrier(new(e, 1, 0), "process_exec", 10, sensor: e);
        await StoreAsync(ProcessClasses.Exec, (one, agent));
        using (var block = Batches.Block(ProcessClasses.Exec, (again, agent)))
        {
            Assert.Equal(InsertOutcome.Ok, (await engine.InsertAsync(block)).Outcome);
        }

        await engine.QueryAsync("ALTER TABLE process_exec DELETE WHERE agent_id = 'cancel' AND seq = 4 SETTINGS mutations_sync = 2");
        await StoreAsync(LedgerClasses.Barrier, (barrier, agent));
        Assert.Equal("10\t10\t0\t0\tunbalanced", await BalanceAsync("cancel"));
        Assert.Equal(1ul, Assert.Single(await SettleAsync("cancel")).Doubled);
    }

    [Fact]
    public async Task A_loss_without_a_cause_is_unbalanced()
    {
        var agent = Batches.Origin("unknown");
        var e = Batches.Epoch(0x74);
        using var one = Batches.Exec(new(e, 0, 0), 1, 10, ringFull: 2, sensor: e, cause: LossCause.Unknown);
        using var barrier = Batches.Barrier(new(e, 1, 0), "process_exec", 12, sensor: e);
        await StoreAsync(ProcessClasses.Exec, (one, agent));
        await StoreAsync(LedgerClasses.Barrier, (barrier, agent));
        Assert.Equal("12\t10\t2\t0\tunbalanced", await BalanceAsync("unknown"));
        Assert.Equal(2ul, Assert.Single(await SettleAsync("unknown")).Unknown);
    }

    [Fact]
    public async Task The_newest_barrier_that_is_covered_without_a_hole_is_settled()
    {
        var agent = Batches.Origin("backlog");
        var e = Batches.Epoch(0x75);
        using var one = Batches.Exec(new(e, 0, 0), 1, 10, sensor: e);
        using var late = Batches.Exec(new(e, 0, 1), 11, 10, sensor: e);
        using var live = Batches.Exec(new(e, 2, 0), 21, 10, sensor: e);
        using var b1 = Batches.Barrier(new(e, 1, 0), "process_exec", 10, sensor: e);
        using var b2 = Batches.Barrier(new(e, 1, 1), "process_exec", 30, sensor: e);
        await StoreAsync(ProcessClasses.Exec, (one, agent), (live, agent));
        await StoreAsync(LedgerClasses.Barrier, (b1, agent), (b2, agent));
        Assert.Empty(await SettleAsync("backlog"));
        Assert.Equal("10\t10\t0\t0\t0\tbalanced", await SettledAsync("backlog"));
        Assert.Equal("30\t20\t0\t10\topen", await BalanceAsync("backlog"));
        await StoreAsync(ProcessClasses.Exec, (late, agent));
        Assert.Empty(await SettleAsync("backlog"));
        Assert.Equal("30\t30\t0\t0\t0\tbalanced", await SettledAsync("backlog"));
    }

    [Theory]
    [InlineData(false, "closed_unclean")]
    [InlineData(true, "balanced")]
    public async Task A_sensor_that_another_replaced_without_a_stop_is_closed_unclean(bool stop, string state)
    {
        var name = stop ? "replaced-clean" : "replaced";
        var agent = Batches.Origin(name);
        var e = Batches.Epoch(stop ? (byte)0x76 : (byte)0x78);
        var next = Batches.Epoch(stop ? (byte)0x77 : (byte)0x79);
        using var one = Batches.Exec(new(e, 0, 0), 1, 10, sensor: e);
        using var old = Batches.Barrier(new(e, 1, 0), "process_exec", 10, sensor: e, stop: stop);
        await StoreAsync(ProcessClasses.Exec, (one, agent));
        await StoreAsync(LedgerClasses.Barrier, (old, agent));
        Assert.Equal("10\t10\t0\t0\tbalanced", await BalanceAsync(name));
        using var first = Batches.Barrier(new(next, 1, 0), "process_exec", 0, sensor: next, at: 60);
        await StoreAsync(LedgerClasses.Barrier, (first, agent));
        Assert.Equal($"0\t0\t0\t0\tbalanced\n10\t10\t0\t0\t{state}", await BalanceAsync(name));
    }

    [Fact]
    public async Task Losses_are_by_agent_class_cause_and_hour()
    {
        var agent = Batches.Origin("losses");
        var e = Batches.Epoch(0x7A);
        using var one = Batches.Exec(new(e, 0, 0), 1, 10, ringFull: 2, sensor: e);
        using var two = Batches.Exec(new(e, 0, 1), 13, 10, ringFull: 3, sensor: e, cause: LossCause.AgentRestart);
        using var three = Batches.Exec(new(e, 0, 2), 26, 1, ringFull: 5, sensor: e);
        await StoreAsync(ProcessClasses.Exec, (one, agent), (two, agent), (three, agent));
        Assert.Equal(
            "losses.example\tprocess_exec\tagent_restart\t3\nlosses.example\tprocess_exec\tring_full\t7",
            await engine.QueryAsync("SELECT host, class, cause, sum(events) FROM loss WHERE agent_id = 'losses' GROUP BY host, class, cause ORDER BY cause FORMAT TSV"));
        Assert.Equal("1", await engine.QueryAsync("SELECT uniqExact(period) FROM loss WHERE agent_id = 'losses'"));
    }

    private async Task<List<SettledBalance>> SettleAsync(string agent)
    {
        var found = new List<SettledBalance>();
        var settler = new LedgerSettler(engine.Client);
        for (var round = 0; round < 2; round++)
        {
            Assert.Empty(found); // what is wrong once is not told yet
            await settler.SettleAsync(DateTimeOffset.UtcNow.AddDays(-2), TimeSpan.Zero, finding =>
            {
                if (finding.AgentId == agent)
                {
                    found.Add(finding);
                }
            });
        }

        return found;
    }

    private async Task<LedgerHole[]> HolesAsync(string agent, DateTimeOffset before) =>
        [.. (await new LedgerSettler(engine.Client).FindHolesAsync(DateTimeOffset.UtcNow.AddDays(-2), before)).Where(hole => hole.AgentId == agent)];

    private Task<string> SettledAsync(string agent) => engine.QueryAsync(
        $"SELECT stamped, stored, doubled, lost, lost_unknown, state FROM ledger_state FINAL WHERE agent_id = '{agent}' ORDER BY stamped FORMAT TSV");

    private Task<string> BalanceAsync(string agent) => engine.QueryAsync(
        $"SELECT stamped, stored, lost, difference, state FROM ledger_balance WHERE agent_id = '{agent}' ORDER BY stamped FORMAT TSV");

    private async Task StoreAsync(EventClass eventClass, params (DecodedBatch, BatchOrigin)[] batches)
    {
        using var block = Batches.Block(eventClass, batches);
        Assert.Equal(InsertOutcome.Ok, (await engine.InsertAsync(block)).Outcome);
        using var ledger = Batches.Ledger(batches);
        Assert.Equal(InsertOutcome.Ok, (await engine.InsertAsync(ledger)).Outcome);
    }
}
