using System.Globalization;
using Streams.Bench.Load;
using Streams.Bench.Running;
using Streams.Local;

namespace Streams.Bench.Watching;

/// <summary>Looks at all processes of a run once a second, says how it goes, and ends it when one of them is gone.</summary>
internal sealed class RunWatch : IAsyncDisposable
{
    public const string Serve = "streams-serve";

    /// <summary>Where it is a process of its own.</summary>
    public const string Gateway = "gateway";
    public const string Nats = "nats-server";
    public const string ClickHouse = "streams-clickhouse";
    public const string LoadName = "load";

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>Asking for the metrics allocates too: seldom enough not to be seen in them.</summary>
    private const int AllocationsEvery = 4;

    private readonly Endpoints _endpoints;
    private readonly EngineClient _engine;
    private readonly IReadOnlyList<LoadProcess> _loads;
    private readonly Func<double> _clock;
    private readonly long _rowsBefore;
    private readonly ServeMetrics _metrics;
    private readonly List<Sample> _samples = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource<BenchFailure> _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _loop;

    /// <param name="clock">Seconds since the start of the load.</param>
    /// <param name="rowsBefore">Rows of the event tables at its start.</param>
    public RunWatch(Endpoints endpoints, EngineClient engine, IReadOnlyList<LoadProcess> loads, Func<double> clock, long rowsBefore)
    {
        _endpoints = endpoints;
        _engine = engine;
        _loads = loads;
        _clock = clock;
        _rowsBefore = rowsBefore;
        _metrics = new ServeMetrics(new Uri(endpoints.Operator));
        _loop = Task.Run(RunAsync);
    }

    /// <summary>Everything seen so far.</summary>
    public IReadOnlyList<Sample> Samples
    {
        get
        {
            lock (_samples)
            {
                return [.. _samples];
            }
        }
    }

    /// <summary>Waits for the work, or until a process of the run is gone.</summary>
    /// <exception cref="BenchFailure">Which.</exception>
    public async Task<T> GuardAsync<T>(Task<T> work)
    {
        if (await Task.WhenAny(work, _failed.Task) == work)
        {
            return await work;
        }

        // A load process that ends by itself is seen here as soon as it says why.
        if (_loads.Any(static load => load.Ended) && await Task.WhenAny(work, Task.Delay(Interval)) == work)
        {
            return await work;
        }

        // The work fails too when its peer is gone; what went first is the reason to name.
        _ = work.ContinueWith(static task => task.Exception, TaskScheduler.Default);
        throw await _failed.Task;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _metrics.Dispose();
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        var progress = new ProgressLine();
        for (var round = 0; !_stop.IsCancellationRequested; round++)
        {
            try
            {
                var sample = await LookAsync(round % AllocationsEvery == 0);
                lock (_samples)
                {
                    _samples.Add(sample);
                }

                progress.Show(sample, _loads);
            }
            catch (Exception failure) when (failure is BenchFailure or HttpRequestException or IOException or OperationCanceledException && !_stop.IsCancellationRequested)
            {
                _failed.TrySetResult(Gone() ?? new BenchFailure($"the run could not be watched any more: {failure.Message}"));
                return;
            }

            await Task.Delay(Interval, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<Sample> LookAsync(bool allocations)
    {
        var gone = Gone();
        if (gone is not null)
        {
            throw gone;
        }

        var counts = (await _engine.QueryAsync(
            $"SELECT sumIf(rows, table IN ({EventTables.List})), count(), (SELECT count() FROM system.merges) FROM system.parts WHERE active AND database = currentDatabase()",
            _stop.Token))[0];
        long? allocated = allocations ? await _metrics.AllocatedAsync(_stop.Token) : null;
        var cpu = new Dictionary<string, double>();
        var resident = new Dictionary<string, long>();
        foreach (var (name, pid) in _endpoints.Children)
        {
            Add(name, pid);
        }

        foreach (var load in _loads.Where(static load => !load.Ended))
        {
            try
            {
                Add(LoadName, load.Id);
            }
            catch (Exception ended) when (ended is IOException or BenchFailure)
            {
                // It has ended since; whoever waits for it learns why.
            }
        }

        return new Sample
        {
            Seconds = _clock(),
            Offered = _loads.Sum(static load => load.Status.Offered),
            Accepted = _loads.Sum(static load => load.Status.Accepted),
            Rows = long.Parse(counts[0], CultureInfo.InvariantCulture) - _rowsBefore,
            ActiveParts = long.Parse(counts[1], CultureInfo.InvariantCulture),
            RunningMerges = long.Parse(counts[2], CultureInfo.InvariantCulture),
            BehindSeconds = _loads.Max(static load => load.Status.BehindSeconds),
            LoadAllocated = _loads.Sum(static load => load.Status.AllocatedBytes),
            ServeAllocated = allocated,
            Cpu = cpu,
            Resident = resident,
        };

        void Add(string name, int pid)
        {
            var (seconds, bytes) = (ProcessCpu.Seconds(pid), ProcessMemory.Resident(pid));
            cpu[name] = cpu.GetValueOrDefault(name) + seconds;
            resident[name] = resident.GetValueOrDefault(name) + bytes;
        }
    }

    private BenchFailure? Gone()
    {
        foreach (var (name, pid) in _endpoints.Children)
        {
            if (!Directory.Exists($"/proc/{pid}"))
            {
                return new BenchFailure(string.Create(CultureInfo.InvariantCulture, $"{name} (process {pid}) ended during the run, {_clock():0} s after its start"));
            }
        }

        return null;
    }
}
