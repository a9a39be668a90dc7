using Streams.Bench.Cases;
using Streams.Bench.Reports;
using Streams.Bench.Running;

namespace Streams.Bench.Comparisons;

/// <summary>Our side of the comparison with other collectors: a run of the case `smoke`, whose rows are the same.</summary>
internal static class WholePath
{
    /// <summary>Agents are left out, as the other side's sender is.</summary>
    private static readonly string[] Counted = [ReportKeys.ServeCpu, ReportKeys.NatsCpu, ReportKeys.ClickHouseCpu];

    /// <returns>Rows committed, exactly once, for a CPU-second of gateway, worker, NATS and ClickHouse together, merges settled.</returns>
    /// <exception cref="BenchFailure">The run broke off, or its rows are not what was sent.</exception>
    public static async Task<double> RowsPerCpuSecondAsync(string directory, TimeSpan load, CancellationToken stop)
    {
        var smoke = CaseFile.Read(CaseFolder.FileOf("smoke"));
        var seconds = load.TotalSeconds / smoke.Phases.Count;
        var definition = smoke with { RawNative = false, Gates = [], Phases = [.. smoke.Phases.Select(phase => phase with { Seconds = seconds })] };
        var report = await CaseRun.RunAsync(definition, directory, stop);
        if ((report.Partial ?? report.Misses().FirstOrDefault()) is { } why)
        {
            throw new BenchFailure($"the whole path: {why}; data and logs are in {directory}");
        }

        return 1e6 / Counted.Sum(key => report.Values[key]);
    }
}
