using System.Buffers.Text;
using System.Globalization;
using Streams.AgentLink.Tls;
using Streams.Bench.Running;
using Streams.Wire.Handshake;

namespace Streams.Bench.Load;

/// <summary>One life of a load process: prepare, connect, wait for the word, send by the clock, wait for the commits.</summary>
internal sealed class LoadRun
{
    /// <summary>New sessions a second: a gateway takes 2,000 a second, and the connecting is not what is measured.</summary>
    private const int ConnectsPerSecond = 400;

    private static readonly TimeSpan ConnectPatience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan GoPatience = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20);

    private readonly LoadSpec _spec;
    private readonly PreparedLoad _prepared;
    private readonly LoadAgent[] _agents;
    private readonly DueRows? _due;
    private readonly Sender _sender;
    private Func<double> _clock = static () => -1;
    private TimeSpan _cpu;
    private long _allocated;
    private long _wire;
    private volatile bool _stop;

    private LoadRun(LoadSpec spec, PreparedLoad prepared)
    {
        _spec = spec;
        _prepared = prepared;
        var roots = new FleetRoots(Base64Url.DecodeFromChars(spec.Root));
        var gateway = new Uri(spec.Gateway);
        var tls = gateway.Scheme == "wss" ? new TlsClient(spec.AuthorityFile) : null;
        _agents = [.. Enumerable.Range(0, spec.Count).Select(i =>
        {
            var index = spec.First + i;
            var id = spec.Ids?[i] ?? string.Create(CultureInfo.InvariantCulture, $"{spec.Prefix}-{index}");
            return new LoadAgent(id, index, Path.Combine(spec.Keys, id + ".key"), gateway, roots, prepared.Batches[i], tls, prepared.SensorEpochs?[i],
                spec.SpoolMebibytes == 0 ? null : Path.Combine(spec.Directory, "spool", id), spec.SpoolMebibytes);
        })];
        var open = spec.Segments.Count > 0;
        _due = open ? new DueRows(spec.Segments, spec.First, spec.Count, spec.Agents, spec.Mix.BatchRows) : null;
        _sender = new Sender(
            _agents,
            open ? [.. Enumerable.Range(spec.First, spec.Count).Select(agent => new AgentSchedule(spec.Segments, agent, spec.Agents, spec.Mix.BatchRows))] : null,
            spec.Mix.BatchRows);
    }

    /// <exception cref="BenchFailure">It could not be done; one line.</exception>
    public static async Task RunAsync(LoadSpec spec, CancellationToken stop)
    {
        LoadCommand.Say(new LoadStatus { State = "preparing" });
        var run = new LoadRun(spec, PreparedLoad.Make(spec));
        try
        {
            await run.ConnectAsync(stop);
            var start = await run.ReadyAsync(stop);
            await run.SendAsync(start, stop);
            await run.FlushAsync();
        }
        finally
        {
            // All at once: an end in good order takes a while.
            await Task.WhenAny(Task.WhenAll(run._agents.Select(static agent => agent.StopAsync())), Task.Delay(EndPatience, CancellationToken.None));
            Array.ForEach(run._agents, static agent => agent.Dispose());
        }
    }

    private async Task ConnectAsync(CancellationToken stop)
    {
        LoadCommand.Say(Status("connecting"));
        for (var i = 0; i < _agents.Length; i++)
        {
            _agents[i].Start();
            if (i % 20 == 19)
            {
                await Task.Delay(TimeSpan.FromSeconds(20.0 / ConnectsPerSecond), stop);
            }
        }

        for (var until = DateTime.UtcNow + ConnectPatience; Connected() < _agents.Length; await Task.Delay(100, stop))
        {
            if (DateTime.UtcNow > until)
            {
                var away = _agents.First(static agent => !agent.Status.Connected);
                throw new BenchFailure($"{_agents.Length - Connected()} of {_agents.Length} agents have no session after {ConnectPatience.TotalSeconds:0} s: {away.Trouble}");
            }
        }
    }

    /// <summary>Says that everything is ready and waits to be told the start.</summary>
    private async Task<DateTime> ReadyAsync(CancellationToken stop)
    {
        // What was made once must not count as the load's.
        GC.Collect();
        LoadCommand.Say(Status("ready"));
        for (var until = DateTime.UtcNow + GoPatience; DateTime.UtcNow < until; await Task.Delay(Look, stop))
        {
            if (File.Exists(_spec.GoFile) && long.TryParse(await File.ReadAllTextAsync(_spec.GoFile, stop), CultureInfo.InvariantCulture, out var micros))
            {
                return DateTime.UnixEpoch.AddTicks(micros * TimeSpan.TicksPerMicrosecond);
            }
        }

        throw new BenchFailure($"the harness did not say when to start within {GoPatience.TotalMinutes:0} minutes");
    }

    private async Task SendAsync(DateTime start, CancellationToken stop)
    {
        if (start - DateTime.UtcNow is var wait && wait > TimeSpan.Zero)
        {
            await Task.Delay(wait, stop);
        }

        _cpu = Environment.CpuUsage.TotalTime;
        _allocated = GC.GetTotalAllocatedBytes();
        _wire = WireBytes();
        _clock = Sender.Clock(start);
        var length = _spec.Segments.Count > 0 ? _spec.Segments.Sum(static segment => segment.Seconds) : _spec.MaxSeconds;
        var sending = Task.Factory.StartNew(() => _sender.Run(_clock, (now, taken) => Over(now, taken, length)), CancellationToken.None,
            TaskCreationOptions.LongRunning, TaskScheduler.Default);
        var churn = 0;
        for (var beat = 1; !sending.IsCompleted; beat++)
        {
            await Task.WhenAny(sending, Task.Delay(Beat, CancellationToken.None));
            _stop = stop.IsCancellationRequested || File.Exists(_spec.StopFile);
            LoadCommand.Say(Status("loading"));
            if (_spec.ChurnShare > 0 && beat % Math.Max(1, (int)_spec.ChurnSeconds) == 0)
            {
                churn = Churn(churn);
            }

            if (Array.Find(_agents, static agent => agent.Ended) is { } ended)
            {
                throw new BenchFailure($"an agent's link has ended: {ended.Trouble}");
            }
        }

        await sending;
    }

    // Every agent has its turn, the same for every run.
    private int Churn(int next)
    {
        var count = Math.Max(1, (int)(_agents.Length * _spec.ChurnShare));
        for (var i = 0; i < count; i++)
        {
            _agents[next++ % _agents.Length].Renew();
        }

        return next % _agents.Length;
    }

    private bool Over(double now, long taken, double length) => _stop
        || (_spec.Segments.Count > 0 ? now > length + _spec.FlushSeconds : now >= length || (_spec.MaxRows > 0 && taken >= _spec.MaxRows));

    private async Task FlushAsync()
    {
        var all = Task.WhenAll(_agents.Select(agent => agent.FlushAsync(TimeSpan.FromSeconds(_spec.FlushSeconds))));
        while (await Task.WhenAny(all, Task.Delay(Beat)) != all)
        {
            LoadCommand.Say(Status("flushing"));
        }

        var flushed = await all;
        if (Array.IndexOf(flushed, false) is >= 0 and var open)
        {
            var status = _agents[open].Status;
            var trouble = _agents[open].Trouble;
            throw new BenchFailure(string.Create(
                CultureInfo.InvariantCulture,
                $"{flushed.Count(static each => !each)} of {flushed.Length} agents have batches that were not committed within {_spec.FlushSeconds:0} s; one has {status.BatchesAppended} and {status.BatchesCommitted} of them are committed{(trouble.Length > 0 ? ", " + trouble : "")}"));
        }

        LoadCommand.Say(Status("done"));
    }

    private LoadStatus Status(string state)
    {
        // Before the clock: nothing is taken that was not due.
        var accepted = _sender.Accepted;
        var now = _clock();
        var running = now >= 0;
        ulong evicted = 0, sessions = 0;
        foreach (var agent in _agents)
        {
            var status = agent.Status;
            evicted += status.RowsEvicted;
            sessions += status.Sessions;
        }

        var oldest = _due is null || !running ? double.PositiveInfinity : _sender.OldestDue;
        return new LoadStatus
        {
            State = state,
            RowClock = _prepared.RowClock,
            Seconds = Math.Max(0, now),
            Offered = running ? _due?.At(now) ?? accepted : 0,
            Accepted = accepted,
            Late = _sender.Late,
            BehindSeconds = double.IsPositiveInfinity(oldest) ? 0 : Math.Max(0, now - oldest),
            Connected = Connected(),
            WireBytes = running ? WireBytes() - _wire : 0,
            Evicted = (long)evicted,
            Sessions = (long)sessions,
            CpuSeconds = running ? (Environment.CpuUsage.TotalTime - _cpu).TotalSeconds : 0,
            AllocatedBytes = running ? GC.GetTotalAllocatedBytes() - _allocated : 0,
            PreparedRows = _prepared.Rows,
            PrepareCpuSeconds = _prepared.CpuSeconds,
            SealSecondsPerRow = _prepared.SealSecondsPerRow,
        };
    }

    private int Connected() => _agents.Count(static agent => agent.Status.Connected);

    private long WireBytes() => _agents.Sum(static agent => (long)agent.Status.BytesSent);
}
