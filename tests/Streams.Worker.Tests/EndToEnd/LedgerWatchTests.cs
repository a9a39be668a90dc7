using Streams.Testing;

namespace Streams.Worker.Tests.EndToEnd;

/// <summary>A difference between barrier, ledger and rows is told once, by a worker that runs.</summary>
[Collection(WorkerCollection.Name)]
public sealed class LedgerWatchTests(WorkerStack stack) : IAsyncLifetime
{
    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => stack.StopWorkersAsync();

    [Fact]
    public async Task An_unbalanced_barrier_raises_one_alert_and_a_balanced_one_none()
    {
        var worker = await stack.StartAsync(stack.Options() with { LedgerInterval = TimeSpan.FromMilliseconds(100) });
        // The ledger claims ten rows of both; the table has those of the second only.
        await StampAsync("watch-wrong", rows: 9);
        await StampAsync("watch-right", rows: 10);
        await Eventually.ValueAsync(
            () => stack.ClickHouse.QueryAsync("SELECT agent_id, state FROM ledger_state WHERE agent_id LIKE 'watch-%' ORDER BY agent_id FORMAT TSV"),
            states => states == "watch-right\tbalanced\nwatch-wrong\tunbalanced",
            "both are settled");

        // As a row of the server's own, too.
        await Eventually.ValueAsync(
            () => stack.ClickHouse.QueryAsync("SELECT subject, detail FROM system_alert WHERE kind = 'ledger_unbalanced' FORMAT TSV"),
            alerts => alerts == "watch-wrong/process_exec/cpu3\tsensor 000000000000002a, numbers 1 to 10: 9 rows, 0 of them doubled, 0 lost, 0 of them without cause, difference 1",
            "the alert is a row");
        // Another round has passed it.
        await StampAsync("watch-later", rows: 10);
        await Eventually.ValueAsync(
            () => stack.ClickHouse.QueryAsync("SELECT state FROM ledger_state WHERE agent_id = 'watch-later' FORMAT TSV"), state => state == "balanced", "a later one is settled");
        Assert.Single(stack.Log.Lines, line => line.Contains("ledger_unbalanced") && line.Contains("watch-wrong"));
        Assert.DoesNotContain(stack.Log.Lines, line => line.Contains("ledger_unbalanced") && line.Contains("watch-right"));
        await worker.StopAsync();
    }

    private async Task StampAsync(string agent, int rows)
    {
        await stack.ClickHouse.QueryAsync(
            $"INSERT INTO process_exec (agent_id, received_at, sensor_epoch, epoch, cpu, seq) SELECT '{agent}', now64(6), 42, 7, 3, number + 1 FROM numbers({rows})");
        await stack.ClickHouse.QueryAsync(
            $"INSERT INTO loss_ledger (agent_id, received_at, sensor_epoch, epoch, class, entries, cpu, first, last, rows) VALUES ('{agent}', now64(6), 42, 7, 'process_exec', 1, 3, 1, 10, 10)");
        await stack.ClickHouse.QueryAsync(
            $"INSERT INTO ledger_barrier (agent_id, received_at, sensor_epoch, epoch, time, class, barrier_cpu, stamped, reason) VALUES ('{agent}', now64(6), 42, 7, now64(6), 'process_exec', 3, 10, 'periodic')");
    }
}
