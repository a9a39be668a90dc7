using System.Globalization;
using Streams.Bench.Chaos.Running;
using Streams.Bench.Running;
using Streams.Bench.Watching;
using Streams.Local;

namespace Streams.Bench.Chaos.Faults;

/// <summary>Makes a fault happen and heals it. When it returns, everything runs again, or at least was started.</summary>
internal sealed class FaultRunner(
    ChaosStack stack, IReadOnlyList<SourceProcess> sources, IReadOnlyList<TcpProxy> networks, Recovery recovery)
{
    private const long SecondsTo1970 = -56L * 365 * 86_400;
    private const long SecondsTo2106 = 80L * 365 * 86_400;

    /// <summary>A source looks at its clock's file a few times a second.</summary>
    private static readonly TimeSpan ClockSeen = TimeSpan.FromMilliseconds(600);
    private static readonly TimeSpan SlowRun = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan SlowStop = TimeSpan.FromMilliseconds(300);

    /// <summary>Time in which the worker commits what it has been given, while the queue no longer hears of it.</summary>
    private static readonly TimeSpan Unheard = TimeSpan.FromSeconds(1.5);

    /// <summary>Longer than an answer of the metrics may be old, and than a source waits for its next batch.</summary>
    private static readonly TimeSpan Published = TimeSpan.FromMilliseconds(600);

    private static readonly TimeSpan FillPatience = TimeSpan.FromMinutes(2);

    /// <summary>A source commits what it has before it ends.</summary>
    private static readonly TimeSpan SourceStop = TimeSpan.FromMinutes(2);

    /// <summary>What the last fault did to the queue's files; null when that was not its purpose.</summary>
    public Damage? Damage { get; private set; }

    /// <summary>Messages that a gateway had published without an answer when it was stopped; null when that was not the purpose.</summary>
    public long? InFlight { get; private set; }

    public Task RunAsync(Fault fault, CancellationToken stop) => fault.Kind switch
    {
        FaultKind.KillSource => KillSourceAsync(sources[fault.Target], fault.Duration, stop),
        FaultKind.RestartSource => RestartSourceAsync(sources[fault.Target], fault.Duration, stop),
        FaultKind.PauseSource => PauseAsync(sources[fault.Target].Process, fault.Duration, stop),
        FaultKind.KillServe => ServeAsync(0, fault.Duration, kill: true, stop),
        FaultKind.RestartServe => ServeAsync(0, fault.Duration, kill: false, stop),
        FaultKind.PauseServe => PauseAsync(stack.Serve(0), fault.Duration, stop),
        FaultKind.KillNats => NatsAsync(fault.Duration, kill: true, stop),
        FaultKind.RestartNats => NatsAsync(fault.Duration, kill: false, stop),
        FaultKind.PauseNats => PauseAsync(stack.Nats, fault.Duration, stop),
        FaultKind.KillClickHouse => ClickHouseAsync(fault.Duration, kill: true, stop),
        FaultKind.RestartClickHouse => ClickHouseAsync(fault.Duration, kill: false, stop),
        FaultKind.PauseClickHouse => PauseAsync(stack.ClickHouse, fault.Duration, stop),
        FaultKind.SlowClickHouse => SlowClickHouseAsync(fault.Duration, stop),
        FaultKind.CutNetwork => NetworkAsync(network => network.Cut(), fault.Duration, stop),
        FaultKind.HoldNetwork => NetworkAsync(network => network.Hold(), fault.Duration, stop),
        FaultKind.Clock1970 => ClockAsync(SecondsTo1970, fault.Duration, stop),
        FaultKind.Clock2106 => ClockAsync(SecondsTo2106, fault.Duration, stop),
        FaultKind.TailLoss => DamageAsync(fault.Duration, QueueDamage.CutTails, stop),
        FaultKind.Wipe => DamageAsync(fault.Duration, QueueDamage.Wipe, stop),
        FaultKind.DiskFull => DiskFullAsync(fault.Duration, stop),
        FaultKind.SwitchGateway => SwitchGatewayAsync(fault.Duration, stop),
        // The worker is a process of its own in such a profile.
        FaultKind.KillGateway => ServeAsync(0, fault.Duration, kill: true, stop),
        FaultKind.KillWorker => ServeAsync(stack.WorkerIndex, fault.Duration, kill: true, stop),
        FaultKind.RestartWorker => ServeAsync(stack.WorkerIndex, fault.Duration, kill: false, stop),
        FaultKind.PauseWorker => PauseAsync(stack.Serve(stack.WorkerIndex), fault.Duration, stop),
        _ => throw new BenchFailure($"no such fault: {fault.Kind}"),
    };

    private static async Task KillSourceAsync(SourceProcess source, TimeSpan away, CancellationToken stop)
    {
        await source.KillAsync();
        await Task.Delay(away, stop);
        source.Start();
    }

    private static async Task RestartSourceAsync(SourceProcess source, TimeSpan away, CancellationToken stop)
    {
        var exit = await source.Process.StopAsync(SourceStop);
        if (exit.Code != 0)
        {
            throw new BenchFailure($"a source that was asked to end did not commit all that it had: {exit}");
        }

        await KillSourceAsync(source, away, stop);
    }

    private static async Task PauseAsync(ChildProcess process, TimeSpan duration, CancellationToken stop)
    {
        process.Pause();
        try
        {
            await Task.Delay(duration, stop);
        }
        finally
        {
            process.Resume();
        }
    }

    private async Task ServeAsync(int index, TimeSpan away, bool kill, CancellationToken stop)
    {
        await stack.EndServeAsync(index, kill);
        await Task.Delay(away, stop);
        stack.StartServe(index);
    }

    private async Task NatsAsync(TimeSpan away, bool kill, CancellationToken stop)
    {
        await stack.EndNatsAsync(kill);
        await Task.Delay(away, stop);
        await stack.StartNatsAsync(stop);
    }

    // Stopped before it is killed, so that rows are committed which it holds for not acknowledged.
    private async Task DamageAsync(TimeSpan away, Func<string, long> damage, CancellationToken stop)
    {
        stack.Nats.Pause();
        var before = await recovery.RowsAsync(stop);
        await Task.Delay(Unheard, stop);
        var after = await recovery.RowsAsync(stop);
        await stack.EndNatsAsync(kill: true);
        Damage = new Damage(damage(stack.QueueDirectory), after - before ?? 0);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  damage: {Damage.Extent:N0}, rows committed that the queue did not hear of: {Damage.CommittedUnheard:N0}"));
        await Task.Delay(away, stop);
        await stack.StartNatsAsync(stop);
    }

    private async Task ClickHouseAsync(TimeSpan away, bool kill, CancellationToken stop)
    {
        await stack.EndClickHouseAsync(kill);
        await Task.Delay(away, stop);
        await stack.StartClickHouseAsync(stop);
    }

    private async Task SlowClickHouseAsync(TimeSpan duration, CancellationToken stop)
    {
        for (var left = duration; left > TimeSpan.Zero; left -= SlowRun + SlowStop)
        {
            await PauseAsync(stack.ClickHouse, SlowStop, stop);
            await Task.Delay(SlowRun, stop);
        }
    }

    private async Task NetworkAsync(Action<TcpProxy> fault, TimeSpan duration, CancellationToken stop)
    {
        foreach (var network in networks)
        {
            fault(network);
        }

        await Task.Delay(duration, stop);
        foreach (var network in networks)
        {
            network.Heal();
        }
    }

    private async Task ClockAsync(long seconds, TimeSpan duration, CancellationToken stop)
    {
        foreach (var agent in sources.SelectMany(source => source.Agents))
        {
            await File.WriteAllTextAsync(agent.Files.Clock, seconds.ToString(CultureInfo.InvariantCulture), stop);
        }

        // Sessions made under the wrong clock are what is of interest: certificate dates and back-off.
        await Task.Delay(ClockSeen, stop);
        networks[0].Cut();
        networks[0].Heal();
        await Task.Delay(duration, stop);
        foreach (var agent in sources.SelectMany(source => source.Agents))
        {
            File.Delete(agent.Files.Clock);
        }
    }

    private async Task DiskFullAsync(TimeSpan duration, CancellationToken stop)
    {
        var filler = Path.Combine(stack.DataDirectory, "filler");
        DateTime? full = null;
        try
        {
            await using (var file = new FileStream(filler, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0))
            {
                var block = new byte[1 << 20];
                var patience = DateTime.UtcNow + FillPatience;
                // The duration is that of a full disk: how long filling takes is the machine's.
                while (full is { } since ? DateTime.UtcNow < since + duration : DateTime.UtcNow < patience)
                {
                    try
                    {
                        await file.WriteAsync(block, stop);
                    }
                    catch (IOException)
                    {
                        // Full; whatever the servers free in the meantime is taken too.
                        full ??= DateTime.UtcNow;
                        await Task.Delay(50, stop);
                    }
                }
            }
        }
        finally
        {
            File.Delete(filler);
        }

        if (full is null)
        {
            throw new BenchFailure($"the disk was not full within {FillPatience.TotalSeconds:0} s");
        }
    }

    private async Task SwitchGatewayAsync(TimeSpan duration, CancellationToken stop)
    {
        var old = stack.Serve(0);
        // The queue first, so that publishes are on their way; it stores them, and nobody takes its answers.
        stack.Nats.Pause();
        try
        {
            await Task.Delay(Published, stop);
            using var metrics = new ServeMetrics(new Uri($"http://{stack.OperatorAddresses[0]}/"));
            InFlight = await metrics.SumAsync("streams_gateway_publish_inflight", stop);
            old.Pause();
        }
        finally
        {
            stack.Nats.Resume();
        }

        Console.WriteLine($"  publishes in flight: {InFlight}");
        try
        {
            foreach (var network in networks)
            {
                network.Route(stack.GatewayPorts[1]);
            }

            await Task.Delay(duration, stop);
        }
        finally
        {
            old.Resume();
        }

        await Task.Delay(TimeSpan.FromSeconds(1), stop);
        foreach (var network in networks)
        {
            network.Route(stack.GatewayPorts[0]);
        }
    }
}
