using Streams.Bench.Running;
using Streams.Bench.Watching;

namespace Streams.Bench.Chaos.Running;

/// <summary>Samples what can pile up, twice a second, and keeps the highest: memory by process, the queue's and the spools' bytes, and what each
/// `streams serve` holds between two of its stages.</summary>
internal sealed class Peaks(ChaosStack stack, IReadOnlyList<SourceProcess> sources)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    /// <summary>What a process holds, by the name at its metrics endpoint, and what it may not exceed: null where bytes of another bound it.</summary>
    public static readonly IReadOnlyDictionary<string, long?> Held = new Dictionary<string, long?>
    {
        ["streams_gateway_credit_reserved"] = 256L << 20,
        ["streams_gateway_publish_inflight"] = null,
        // Of all partitions together; a request may bring a message more than was asked for.
        ["streams_worker_read_ahead"] = Partitions * (9L << 20),
        ["streams_worker_batches"] = null,
        ["streams_worker_open_ranges"] = Partitions * 4,
    };

    // As `up` makes them.
    private const int Partitions = 4;

    private readonly SortedDictionary<string, long> _resident = [];
    private readonly SortedDictionary<string, long> _held = [];
    private readonly List<ServeMetrics> _metrics = [.. stack.OperatorAddresses.Select(address => new ServeMetrics(new Uri($"http://{address}")))];

    /// <summary>Highest resident memory by process, bytes.</summary>
    public IReadOnlyDictionary<string, long> Resident => _resident;

    public long QueueBytes { get; private set; }

    public long UncommittedBytes { get; private set; }

    /// <summary>Highest of one process, by the names of <see cref="Held"/>.</summary>
    public IReadOnlyDictionary<string, long> HeldByServe => _held;

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
            foreach (var (name, sum) in (await Task.WhenAll(_metrics.Select(metrics => HeldAsync(metrics, stop)))).SelectMany(sums => sums))
            {
                _held[name] = Math.Max(_held.GetValueOrDefault(name), sum);
            }

            await Task.Delay(Interval, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        _metrics.ForEach(metrics => metrics.Dispose());
    }

    // A process that does not run, or hangs, says nothing.
    private static async Task<IEnumerable<(string Name, long Sum)>> HeldAsync(ServeMetrics metrics, CancellationToken stop)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(Interval);
        try
        {
            return await metrics.SumsAsync(Held.Keys, patience.Token);
        }
        catch (Exception error) when (error is HttpRequestException or OperationCanceledException or IOException)
        {
            return [];
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
