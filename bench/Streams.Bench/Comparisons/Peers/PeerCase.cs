using System.Diagnostics;
using System.Globalization;
using Streams.Bench.Running;
using Streams.Local;

namespace Streams.Bench.Comparisons.Peers;

/// <summary>Rows that a peer brings into the engine for a CPU-second of both, merges settled. What feeds it is this process and is not counted.</summary>
internal sealed class PeerCase(Endpoints endpoints, EngineClient engine, JsonLines[] lines, long rows)
{
    /// <summary>A peer that brings nothing for so long brings nothing more.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(30);

    /// <summary>Feeds one peer.</summary>
    /// <param name="name">For tables and messages.</param>
    /// <param name="run">Starts the peer, feeds it, waits for what it is given to wait for, stops it; gives its CPU seconds.</param>
    /// <exception cref="BenchFailure">Not all rows arrived, or some twice.</exception>
    public async Task<double> MeasureAsync(string name, Func<IReadOnlyList<PeerTarget>, Func<Task>, Task<double>> run, CancellationToken stop)
    {
        var password = (await File.ReadAllTextAsync(endpoints.ClickHousePasswordFile, stop)).Trim();
        var prefix = name.Replace('-', '_');
        var rounds = Math.Max(1, rows / lines.Sum(static part => part.Rows));
        var targets = lines
            .Select(part => new PeerTarget(
                part.Class, $"{prefix}_{part.Class.Name}", part, part.Rows * rounds, new Uri(endpoints.ClickHouse), endpoints.ClickHouseUser, password))
            .ToList();
        foreach (var target in targets)
        {
            await engine.TextAsync($"CREATE TABLE {target.Table} AS {target.Class.Name}", "Null", stop);
        }

        Console.WriteLine($"{name} is fed {targets.Sum(static target => target.Rows):N0} rows");
        var process = endpoints.Children["streams-clickhouse"];
        var cpu = ProcessCpu.Seconds(process);
        var own = await run(targets, () => ArriveAsync(name, targets, stop));
        await Merges.SettleAsync(engine, stop);
        var both = own + ProcessCpu.Seconds(process) - cpu;
        foreach (var target in targets)
        {
            var stored = await StoredAsync(target, stop);
            if (stored != target.Rows)
            {
                throw new BenchFailure($"{name}: {target.Table} has {stored} rows, {target.Rows} were fed");
            }
        }

        Console.WriteLine($"{name}: {own:0.0} CPU-s of its own and {both - own:0.0} of ClickHouse");
        return targets.Sum(static target => target.Rows) / both;
    }

    private async Task ArriveAsync(string name, List<PeerTarget> targets, CancellationToken stop)
    {
        var expected = targets.Sum(static target => target.Rows);
        var silence = Stopwatch.StartNew();
        for (var before = -1L; ;)
        {
            var stored = 0L;
            foreach (var target in targets)
            {
                stored += await StoredAsync(target, stop);
            }

            if (stored >= expected)
            {
                return;
            }

            if (stored != before)
            {
                before = stored;
                silence.Restart();
            }
            else if (silence.Elapsed > Silence)
            {
                throw new BenchFailure($"{name} brought {stored} of {expected} rows and nothing more for {Silence.TotalSeconds:0} s; its log is in the directory of the run");
            }

            await Task.Delay(200, stop);
        }
    }

    private async Task<long> StoredAsync(PeerTarget target, CancellationToken stop) =>
        long.Parse((await engine.QueryAsync($"SELECT count() FROM {target.Table}", stop))[0][0], CultureInfo.InvariantCulture);
}
