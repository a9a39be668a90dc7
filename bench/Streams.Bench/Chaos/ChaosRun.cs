using System.Buffers.Text;
using Streams.Bench.Chaos.Faults;
using Streams.Bench.Chaos.Profiles;
using Streams.Bench.Chaos.Running;
using Streams.Bench.Chaos.Sources;
using Streams.Bench.Running;

namespace Streams.Bench.Chaos;

/// <summary>One run: a stack under load, its faults one after the other, healed and drained, then judged.</summary>
internal sealed class ChaosRun : IAsyncDisposable
{
    private static readonly TimeSpan FirstRows = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan RecoveryDeadline = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan DrainDeadline = TimeSpan.FromMinutes(6);

    private readonly EngineClient _engine;
    private readonly CancellationTokenSource _stopSampling = new();
    private readonly Task _sampling;
    private readonly Profile _profile;
    private readonly List<Happened> _done = [];

    private ChaosRun(string directory, Profile profile, ChaosStack stack, TcpProxy network, List<SourceProcess> sources)
    {
        _profile = profile;
        RunDirectory = directory;
        Stack = stack;
        Network = network;
        Sources = sources;
        _engine = new EngineClient(stack.Endpoints);
        Recovery = new Recovery(stack, sources, _engine);
        Peaks = new Peaks(stack, sources);
        Rates = new CommitRates(Recovery);
        _sampling = Task.WhenAll(Peaks.RunAsync(_stopSampling.Token), Rates.RunAsync(_stopSampling.Token));
    }

    public string RunDirectory { get; }

    public ChaosStack Stack { get; }

    public TcpProxy Network { get; }

    /// <summary>A profile may add to them.</summary>
    public List<SourceProcess> Sources { get; }

    public EngineClient Engine => _engine;

    public Recovery Recovery { get; }

    public Peaks Peaks { get; }

    public CommitRates Rates { get; }

    public IReadOnlyList<Happened> Done => _done;

    /// <summary>Causes by which rows may be counted as lost.</summary>
    public IReadOnlyCollection<string> ExpectedLosses => _profile.ExpectedLosses;

    /// <summary>What did not hold so far.</summary>
    public List<string> Failures { get; } = [];

    /// <summary>Starts servers and sources and returns when rows of every source are committed.</summary>
    public static async Task<ChaosRun> StartAsync(string directory, ChaosOptions options, Profile profile, CancellationToken stop)
    {
        // Others' tables may hold what an earlier run left.
        var prefix = options.External is null ? "" : Guid.NewGuid().ToString("n")[..8] + "-";
        var files = Enumerable.Range(0, options.Sources)
            .Select(i => (Id: $"chaos-{prefix}{i}", Files: new SourceFiles(Directory.CreateDirectory(Path.Combine(directory,
                $"chaos-{i}")).FullName))).ToList();
        var data = Path.Combine(directory, "data");
        var stack = await ChaosStack.StartAsync(data, Path.Combine(directory, "up.log"), [.. files.Select(f => (f.Id, f.Files))],
            profile, options.External, stop);
        var network = new TcpProxy(stack.GatewayPorts[0], profile.UplinkBytesPerSecond);
        var root = Base64Url.EncodeToString(await RootKey.ReadAsync(data, stop));
        var sources = files.Select(f => new SourceProcess(f.Id, f.Files, $"ws://127.0.0.1:{network.Port}", root,
            options.Rate / options.Sources, profile.AgentsPerSource)).ToList();
        sources.ForEach(source => source.Start());
        var run = new ChaosRun(directory, profile, stack, network, sources);
        try
        {
            return await run.Recovery.WaitAsync(FirstRows, stop) is not null
                ? run : throw new BenchFailure($"no rows of every source within {FirstRows.TotalSeconds:0} s; logs are in {directory}");
        }
        catch
        {
            await run.DisposeAsync();
            throw;
        }
    }

    /// <summary>One fault, from its gap to the first rows after it.</summary>
    public async Task HappenAsync(Fault fault, CancellationToken stop)
    {
        await Task.Delay(fault.Gap, stop);
        var began = DateTime.UtcNow;
        var runner = new FaultRunner(Stack, Sources, [Network], Recovery);
        await Task.WhenAll(runner.RunAsync(fault, stop), _profile.During?.Invoke(this, fault, stop) ?? Task.CompletedTask);
        var healed = DateTime.UtcNow;
        var recovery = await Recovery.WaitAsync(RecoveryDeadline, stop);
        _done.Add(new Happened(fault, began, healed, recovery, runner.Damage, runner.InFlight));
        Console.WriteLine($"{_done.Count,4} {fault}: {(recovery is { } time ? $"rows again after {time.TotalSeconds:0.0} s" : "NOT RECOVERED")}");
        if (recovery is null)
        {
            Failures.Add($"no rows within {RecoveryDeadline.TotalSeconds:0} s after fault {_done.Count}, {fault}");
        }
    }

    /// <summary>Ends the emission and waits until every source has everything committed.</summary>
    public async Task DrainAsync(CancellationToken stop)
    {
        var ends = Sources.Select(source => source.Process.StopAsync(DrainDeadline)).ToList();
        var all = Task.WhenAll(ends);
        while (!all.IsCompleted)
        {
            await Stack.ReviveAsync(stop);
            await Task.WhenAny(all, Task.Delay(500, stop));
        }

        foreach (var exit in (await all).Where(exit => exit.Code != 0))
        {
            Failures.Add($"not drained: {exit}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopSampling.CancelAsync();
        await _sampling.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var source in Sources)
        {
            await source.DisposeAsync();
        }

        await Network.DisposeAsync();
        await Stack.DisposeAsync();
        _engine.Dispose();
        _stopSampling.Dispose();
    }
}
