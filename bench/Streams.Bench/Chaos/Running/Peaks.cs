using Streams.Bench.Running;
using Streams.Bench.Watching;

namespace Streams.Bench.Chaos.Running;

/// <summary>Samples what can pile up, twice a second, and keeps the highest: memory by process, the queue's and the spools' bytes,
/// credit reserved.</summary>
internal sealed class Peaks(ChaosStack stack, IReadOnlyList<SourceProcess> sources)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    private readonly SortedDictionary<string, long> _resident = [];
    private readonly ServeMetrics _metrics = new(new Uri($"http://{stack.OperatorAddresses[0]}"));

    /// <summary>Highest resident memory by process, bytes.</summary>
    public IReadOnlyDictionary<string, long> Resident => _resident;

    public long QueueBytes { get; private set; }

    public long UncommittedBytes { get; private set; }

    public long CreditReserved { get; private set; }

    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            foreach (var (name, process) in stack.Processes.Concat(sources.Select(source => ("source", source.Process))).ToList())
            {
                _resident[name] = Math.Max(_resident.GetValueOrDefault(name), ResidentOf(process.Id));
            }

            QueueBytes = Math.Max(QueueBytes, BytesBelow(stack.QueueDirectory));
            UncommittedBytes = Math.Max(UncommittedBytes, sources.SelectMany(source => source.Agents).Sum(agent => agent.Status?.UncommittedBytes ?? 0));
            CreditReserved = Math.Max(CreditReserved, await CreditAsync(stop));
            await Task.Delay(Interval, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        _metrics.Dispose();
    }

    private async Task<long> CreditAsync(CancellationToken stop)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(Interval);
        try
        {
            return await _metrics.SumAsync("streams_gateway_credit_reserved", patience.Token) ?? 0;
        }
        catch (Exception error) when (error is HttpRequestException or OperationCanceledException or IOException)
        {
            return 0;
        }
    }

    // A process that was killed just now has no memory.
    private static long ResidentOf(int pid)
    {
        try
        {
            return ProcessMemory.Resident(pid);
        }
        catch (Exception error) when (error is IOException or BenchFailure)
        {
            return 0;
        }
    }

    private static long BytesBelow(string directory)
    {
        try
        {
            return new DirectoryInfo(directory).EnumerateFiles("*.blk", SearchOption.AllDirectories).Sum(file => file.Length);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // A block went away while it was looked at.
            return 0;
        }
    }
}
