using System.Diagnostics;
using System.Globalization;
using Streams.Bench.Running;

namespace Streams.Bench.Chaos.Running;

/// <summary>Tells from the ledger when rows that were emitted after a moment are committed, for every source.</summary>
internal sealed class Recovery(ChaosStack stack, IReadOnlyList<SourceProcess> sources, EngineClient engine)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    /// <summary>Waits until every source has committed rows of after now. Null when <paramref name="deadline"/> passed first.</summary>
    public async Task<TimeSpan?> WaitAsync(TimeSpan deadline, CancellationToken stop)
    {
        var clock = Stopwatch.StartNew();
        var marks = new Dictionary<string, (ulong Epoch, ulong Seq)>();
        while (clock.Elapsed < deadline)
        {
            await stack.ReviveAsync(stop);
            foreach (var source in sources)
            {
                if (source.Process.Exited.IsCompleted)
                {
                    throw new BenchFailure((await source.Process.Exited).ToString());
                }

                foreach (var agent in source.Agents)
                {
                    if (!marks.ContainsKey(agent.Files.Directory) && agent.Status is { } status)
                    {
                        marks[agent.Files.Directory] = (status.SensorEpoch, status.Kept + 1);
                    }
                }
            }

            if (marks.Count == sources.Sum(source => source.Agents.Count) && await CommittedAsync(marks, stop))
            {
                return clock.Elapsed;
            }

            await Task.Delay(Interval, stop);
        }

        return null;
    }

    /// <summary>Rows committed until now; null while nobody can say.</summary>
    public async Task<long?> RowsAsync(CancellationToken stop) =>
        await TryAsync("SELECT sum(rows) FROM loss_ledger WHERE startsWith(agent_id, 'chaos-')", stop) is { } rows && rows.Count > 0
            ? long.Parse(rows[0][0], CultureInfo.InvariantCulture) : null;

    private async Task<bool> CommittedAsync(Dictionary<string, (ulong Epoch, ulong Seq)> marks, CancellationToken stop)
    {
        var epochs = string.Join(", ", marks.Values.Select(mark => mark.Epoch));
        var rows = await TryAsync($"SELECT sensor_epoch, max(last) FROM loss_ledger WHERE sensor_epoch IN ({epochs}) AND rows > 0 GROUP BY 1", stop);
        var last = rows?.ToDictionary(
            row => ulong.Parse(row[0], CultureInfo.InvariantCulture), row => ulong.Parse(row[1], CultureInfo.InvariantCulture));
        return last is not null && marks.Values.All(mark => last.GetValueOrDefault(mark.Epoch) >= mark.Seq);
    }

    private async Task<List<string[]>?> TryAsync(string query, CancellationToken stop)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(TimeSpan.FromSeconds(5));
        try
        {
            return await engine.QueryAsync(query, patience.Token);
        }
        catch (Exception error) when (error is HttpRequestException or BenchFailure || (error is OperationCanceledException
            && !stop.IsCancellationRequested))
        {
            // ClickHouse is away or full: ask again.
            return null;
        }
    }
}
