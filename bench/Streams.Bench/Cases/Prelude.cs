using Streams.Bench.Load;
using Streams.Bench.Running;
using Streams.Bench.Watching;

namespace Streams.Bench.Cases;

/// <summary>What runs before the load of a case: rows to have in the tables, or a measurement of what the path takes.</summary>
internal static class Prelude
{
    /// <summary>Agents of a prelude: as many as the ingest case has, each with its own rows.</summary>
    private const int Agents = 8;

    /// <summary>Longest that filling the tables may take.</summary>
    public const double FillSeconds = 1800;

    private const string FillPrefix = "before";
    private const string CapacityPrefix = "capacity";

    /// <summary>Agents named so have the rows of <see cref="FillAsync"/>.</summary>
    public static string FillAgent => FillPrefix + "-0";

    /// <summary>Fills the tables with at least so many rows and lets merges settle.</summary>
    public static async Task FillAsync(CaseStack stack, CaseDefinition definition, CancellationToken stop)
    {
        Console.WriteLine($"filling the tables with {definition.BeforeRows:N0} rows");
        var (rows, _) = await RunAsync(stack, definition, FillPrefix, FillSeconds, definition.BeforeRows, definition.BeforeRate, stop);
        // A schedule gives each agent whole batches: some less.
        if (rows < definition.BeforeRows * 0.99)
        {
            throw new BenchFailure($"{rows:N0} rows came of the {definition.BeforeRows:N0} that were to be there before: they do not come at {definition.BeforeRate:N0} a second");
        }

        await Merges.SettleAsync(stack.Engine, stop);
    }

    /// <summary>Rows a second that the path commits when it is offered all it takes.</summary>
    public static async Task<double> CapacityAsync(CaseStack stack, CaseDefinition definition, CancellationToken stop)
    {
        Console.WriteLine($"measuring the capacity for {definition.CapacitySeconds:0} s");
        var (rows, seconds) = await RunAsync(stack, definition, CapacityPrefix, definition.CapacitySeconds, 0, 0, stop);
        Console.WriteLine($"capacity {rows / seconds:N0} rows/s");
        return rows / seconds;
    }

    private static async Task<(long Rows, double Seconds)> RunAsync(CaseStack stack, CaseDefinition definition, string prefix, double seconds, long rows, double rate, CancellationToken stop)
    {
        var before = await EventTables.RowsAsync(stack.Engine, stop);
        await stack.LetInAsync(prefix, Agents, stop);
        var spec = stack.SpecOf(definition with { Agents = Agents }, prefix, 0, 1) with
        {
            Segments = rate > 0 ? [new Segment(rows / rate, rate, rate)] : [],
            Scheduled = false,
            SpoolMebibytes = 0,
            ChurnShare = 0,
            MaxSeconds = seconds,
            MaxRows = rows,
            // Wide batches whatever the load has: what is filled is not what is measured.
            Mix = definition.Mix with { BatchRows = rows > 0 ? Math.Max(1000, definition.Mix.BatchRows) : definition.Mix.BatchRows },
        };
        await using var load = LoadProcess.Start(spec);
        await load.ReadyAsync(stop);
        var start = DateTime.UtcNow;
        load.Go(start);
        await using var watch = new RunWatch(stack.Endpoints, stack.Engine, [load], Sender.Clock(start), before);
        var took = (await watch.GuardAsync(load.DoneAsync(stop))).Seconds;
        ProgressLine.End();
        return (await EventTables.RowsAsync(stack.Engine, stop) - before, took);
    }
}
