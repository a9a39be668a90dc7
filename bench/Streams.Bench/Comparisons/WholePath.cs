using Streams.Bench.Smoke;

namespace Streams.Bench.Comparisons;

/// <summary>Our side of the comparison with other collectors: the run of `smoke`, whose rows are the same.</summary>
internal static class WholePath
{
    /// <returns>Rows committed, exactly once, for a CPU-second of gateway, worker, NATS and ClickHouse together, merges settled.</returns>
    public static async Task<double> RowsPerCpuSecondAsync(string directory, TimeSpan load, CancellationToken stop)
    {
        var report = await SmokeCommand.RunAsync(directory, load, stop);
        return report.Lost == 0 && report.Doubled == 0
            ? 1e6 / report.CpuSecondsPerMillion
            : throw new Running.BenchFailure($"the whole path: {report.Lost} rows are missing, {report.Doubled} are there more than once; data and logs are in {directory}");
    }
}
