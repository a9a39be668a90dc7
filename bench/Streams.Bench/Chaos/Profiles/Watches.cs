using Streams.Bench.Chaos.Faults;
using Streams.Bench.Watching;

namespace Streams.Bench.Chaos.Profiles;

/// <summary>What is looked at while a fault lasts.</summary>
internal static class Watches
{
    private const string DataFrames = "streams_gateway_received_total";

    // Share of the fault: before, what was granted already is used up.
    private const double From = 0.5;
    private const double To = 0.95;

    /// <summary>In the second half of the fault no data frame comes to the gateway, although every source goes on to make batches: there is no
    /// credit.</summary>
    public static async Task NothingIsReceivedAsync(ChaosRun run, Fault fault, CancellationToken stop)
    {
        using var metrics = new ServeMetrics(new Uri($"http://{run.Stack.OperatorAddresses[0]}"));
        await Task.Delay(fault.Duration * From, stop);
        var (received, kept) = (await metrics.SumAsync(DataFrames, stop), Kept(run));
        await Task.Delay(fault.Duration * (To - From), stop);
        var (receivedThen, keptThen) = (await metrics.SumAsync(DataFrames, stop), Kept(run));
        Console.WriteLine($"  without a queue: {receivedThen - received} data frames received, {keptThen.Sum() - kept.Sum():N0} events made");
        if (received is null or 0 || received != receivedThen)
        {
            run.Failures.Add($"data frames were received without a queue: {received}, then {receivedThen}");
        }

        if (kept.Zip(keptThen).Any(source => source.First >= source.Second))
        {
            run.Failures.Add("a source made no events while the queue was away");
        }
    }

    private static List<long> Kept(ChaosRun run) => [.. run.Sources.Select(source => (long)(source.Status?.Kept ?? 0))];
}
