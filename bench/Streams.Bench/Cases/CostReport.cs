using Streams.Bench.Load;
using Streams.Bench.Reports;
using Streams.Bench.Watching;

namespace Streams.Bench.Cases;

/// <summary>What a load cost, by process and by row.</summary>
internal static class CostReport
{
    /// <summary>Pools fill and code is compiled in the first part of a load.</summary>
    private const double WarmUpShare = 0.2;

    /// <param name="cpu">CPU seconds of the system's processes, from the start of the load until merges settled.</param>
    public static void Add(Dictionary<string, double> values, CaseDefinition definition, IReadOnlyDictionary<string, double> cpu, LoadStatus[] loads, IReadOnlyList<Sample> samples)
    {
        var millions = values[ReportKeys.Committed] / 1e6;
        if (millions <= 0)
        {
            return;
        }

        var serve = (cpu[RunWatch.Serve] + cpu.GetValueOrDefault(RunWatch.Gateway)) / millions;
        var nats = cpu[RunWatch.Nats] / millions;
        var clickHouse = cpu[RunWatch.ClickHouse] / millions;
        var link = loads.Sum(static load => load.CpuSeconds) / millions;
        var seal = loads.Average(static load => load.SealSecondsPerRow) * 1e6;
        values[ReportKeys.ServeCpu] = Round(serve);
        values[ReportKeys.NatsCpu] = Round(nats);
        values[ReportKeys.ClickHouseCpu] = Round(clickHouse);
        values[ReportKeys.LinkCpu] = Round(link);
        values[ReportKeys.SealCpu] = Round(seal);
        values[ReportKeys.Cpu] = Round(serve + nats + link + seal);
        values[ReportKeys.PathCpu] = Round(serve + nats + link + seal + clickHouse);
        values[ReportKeys.GeneratorCpu] = Round((loads.Sum(static load => load.PrepareCpuSeconds) / loads.Sum(static load => load.PreparedRows) * 1e6) - seal);
        Allocations(values, definition, samples);
        if (definition.Quiet)
        {
            Quiet(values, definition, samples);
        }
    }

    /// <summary>Slope over the steady part of the load, between the first and the last look at it.</summary>
    private static void Allocations(Dictionary<string, double> values, CaseDefinition definition, IReadOnlyList<Sample> samples)
    {
        var steady = samples.Where(sample => sample.ServeAllocated is not null && sample.Seconds >= definition.Seconds * WarmUpShare && sample.Seconds <= definition.Seconds).ToList();
        if (steady is not [var first, .., var last] || last.Rows <= first.Rows || last.Accepted <= first.Accepted)
        {
            return;
        }

        var serve = (double)(last.ServeAllocated!.Value - first.ServeAllocated!.Value) / (last.Rows - first.Rows);
        var agent = (double)(last.LoadAllocated - first.LoadAllocated) / (last.Accepted - first.Accepted);
        values[ReportKeys.ServeAllocated] = Round(serve);
        values[ReportKeys.AgentAllocated] = Round(agent);
        values[ReportKeys.Allocated] = Round(serve + agent);
    }

    private static void Quiet(Dictionary<string, double> values, CaseDefinition definition, IReadOnlyList<Sample> samples)
    {
        var during = samples.Where(sample => sample.Seconds >= definition.Seconds * WarmUpShare && sample.Seconds <= definition.Seconds).ToList();
        if (during is [var first, .., var last])
        {
            values[ReportKeys.QuietCpu] = Round((last.Cpu[RunWatch.Gateway] - first.Cpu[RunWatch.Gateway]) / (last.Seconds - first.Seconds));
            values[ReportKeys.QuietRss] = during.Max(static sample => sample.Resident[RunWatch.Gateway]);
        }
    }

    private static double Round(double value) => Math.Round(value, 3);
}
