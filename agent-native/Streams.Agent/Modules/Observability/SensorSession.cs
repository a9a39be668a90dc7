using Streams.Agent.Configuration;
using Streams.Agent.Logging;
using Streams.Agent.Modules.Comm;
using Streams.Agent.Modules.Core;
using Streams.Agent.Modules.Observability.Batching;
using Streams.Agent.Modules.Observability.Sensor;
using Streams.Agent.Modules.Observability.Shedding;
using Streams.Schema;

namespace Streams.Agent.Modules.Observability;

/// <summary>
/// One life of the sensor: from attached programs to the last barrier, the end of a killed agent's life before it. <see cref="Run"/> is the
/// reader thread; what it counts may be read from other threads.
/// </summary>
internal sealed class SensorSession : IDisposable
{
    /// <summary>Longest wait for records: bounds what a stop and a barrier wait for, and the delay of a lone record.</summary>
    private const int LongestWaitMilliseconds = 200;

    /// <summary>While a batch is open its next records are likely soon.</summary>
    private const int OpenWaitMilliseconds = 50;

    /// <summary>Between two looks at the pressure.</summary>
    private const int PressureMilliseconds = 50;

    /// <summary>Records between two looks at the clock: a batch's age is exact to the time these take (below 1 ms).</summary>
    private const int DrainStep = 1024;

    private readonly SensorInstance _instance;
    private readonly AgentLog _log;
    private readonly StampSnapshot _snapshot = new();
    private readonly IBatchSink _sink;
    private readonly SheddingController _shedding;
    private readonly CpuGauge _cpu;
    private long _pauses;
    private long _nextPressure;
    private bool _ended;
    private long _stopAt = long.MaxValue;
    private volatile bool _stopping;

    public SensorSession(AgentConfiguration configuration, SensorInstance instance, IBatchSink sink, AgentLog log, TimeProvider clock)
    {
        _instance = instance;
        _sink = sink;
        _log = log;
        _shedding = new SheddingController(clock);
        _cpu = new CpuGauge(configuration.CpuPercent, clock, static () => Environment.CpuUsage.TotalTime);
        BarrierMilliseconds = configuration.BarrierSeconds * 1000;
        Epoch = Epoch.Read(instance.Epoch.Span);
        // Before anything asks where the instance stands.
        SpooledPositions.Merge(sink, Epoch, instance.Positions);
        Batches = new EventBatches(configuration, sink, Epoch, instance.Cpus, OnPause, instance.Positions) { WhilePaused = Shed };
        Barriers = new BarrierWriter(sink, Epoch, instance.Positions, clock);
        Reader = new SensorReader(instance);
    }

    /// <summary>Between two barriers. Tests set it below the second that the configuration allows.</summary>
    public int BarrierMilliseconds { get; init; }

    public Epoch Epoch { get; }

    public EventBatches Batches { get; }

    public BarrierWriter Barriers { get; }

    public SensorReader Reader { get; }

    /// <summary>Times that reading paused because the link had no room.</summary>
    public long Pauses => Volatile.Read(ref _pauses);

    /// <summary>True while it does.</summary>
    public bool IsPaused { get; private set; }

    /// <summary>How much is shed, 0 to <see cref="ShedSteps.Highest"/>.</summary>
    public int ShedLevel => _shedding.Level;

    /// <summary>The mean pressure that was last decided on, 1 is the bound.</summary>
    public double Pressure => _shedding.Mean;

    /// <summary>The reader thread's work: returns after <see cref="Stop"/> and the last barrier.</summary>
    public void Run()
    {
        if (_instance.HandOver is { } handOver)
            TakeOver(handOver);
        var sink = new EventAppender(Batches);
        var nextBarrier = Environment.TickCount64 + BarrierMilliseconds;
        while (!_stopping)
        {
            Shed();
            while (Reader.Drain(ref sink, DrainStep) == DrainStep && !_stopping)
            {
                Batches.SendDue(Environment.TickCount64);
                Shed();
            }

            var now = Environment.TickCount64;
            if (now >= nextBarrier)
            {
                Barrier(stop: false);
                now = Environment.TickCount64;
                nextBarrier = now + BarrierMilliseconds;
            }

            var due = Batches.SendDue(now);
            var wait = Math.Min(due == long.MaxValue ? LongestWaitMilliseconds : OpenWaitMilliseconds, nextBarrier - now);
            Reader.Wait((int)Math.Clamp(wait, 1, LongestWaitMilliseconds));
        }

        _instance.Detach();
        Batches.GiveUpAt(Volatile.Read(ref _stopAt));
        _ended = Barrier(stop: true);
        foreach (var batch in Batches.All)
        {
            if (batch.GivenUpBatches > 0)
                _log.Error(AgentEvent.GivenUp, ModuleName.Observability,
                    $"{batch.Builder.Class.Name}: {batch.GivenUpRows} rows and {batch.GivenUpLost} counted losses in {batch.GivenUpBatches} batches "
                    + "had no room at the link before the deadline: the next agent counts them as lost");
        }
    }

    /// <summary>Asks the reader to end. Waiting for room ends at the deadline.</summary>
    public void Stop(TimeSpan deadline)
    {
        var at = Environment.TickCount64 + (long)deadline.TotalMilliseconds;
        Volatile.Write(ref _stopAt, at);
        Batches.GiveUpAt(at);
        _stopping = true;
    }

    public void Dispose()
    {
        Reader.Dispose();
        Batches.Dispose();
        Barriers.Dispose();
        if (_ended)
            _instance.Dispose();
        else
            _instance.Leave();
    }

    // S is read first; then everything up to S is in batches, which go before the barrier in the same lane. Later numbers may be in
    // them as well, in ledger entries of their own.
    private bool Barrier(bool stop)
    {
        _instance.Read(_snapshot);
        var sink = new BarrierAppender(Batches, _snapshot);
        return Send(_snapshot, Reader.Settle(ref sink, _snapshot), stop);
    }

    // What the killed agent left is accounted for, and in the spool, before anything new is read.
    private void TakeOver(StampSnapshot handOver)
    {
        var sink = new BarrierAppender(Batches, handOver);
        Send(handOver, Reader.TakeOver(ref sink, handOver), stop: false);
        _log.Info(AgentEvent.SensorTakenOver, ModuleName.Observability,
            $"took over the sensor instance: {Reader.Records} records were in the ring, {Reader.Restarted} numbers are counted as "
            + $"agent_restart, {Reader.Reread} records were in the spool already");
    }

    private bool Send(StampSnapshot stamped, bool explained, bool stop)
    {
        if (!explained)
            _log.Error(AgentEvent.BarrierFailed, ModuleName.Observability, "numbers without record and without counter were reported as unknown; please report this");
        Batches.SendAll();
        // A last word that nobody could check: the next agent goes on with the instance instead.
        if (Batches.HasGivenUp)
            return false;
        var sent = Barriers.Write(stamped, _instance.ReadMissed(), stop);
        if (!sent)
            _log.Warn(AgentEvent.BarrierFailed, ModuleName.Observability, "a barrier waits for room at the link");
        return sent;
    }

    private void Shed()
    {
        var now = Environment.TickCount64;
        if (now < _nextPressure)
            return;
        _nextPressure = now + PressureMilliseconds;
        var pressure = new Pressure((double)Reader.PendingBytes / Reader.RingBytes, _sink.FillOf(PriorityClass.Event), _cpu.Read());
        var before = _shedding.Level;
        if (!_shedding.Observe(pressure.Highest))
            return;
        _instance.SetShedLevel(ShedSteps.ValueOf(_shedding.Level));
        var text = $"sheds {ShedSteps.NameOf(_shedding.Level)} (level {_shedding.Level} of {ShedSteps.Highest}): "
            + $"pressure {_shedding.Mean * 100:0} %, {pressure.Name} at {pressure.Highest * 100:0} % now";
        if (_shedding.Level > before)
            _log.Warn(AgentEvent.Shedding, ModuleName.Observability, text);
        else
            _log.Info(AgentEvent.Shedding, ModuleName.Observability, text);
    }

    private void OnPause(bool paused)
    {
        IsPaused = paused;
        if (paused)
        {
            Interlocked.Increment(ref _pauses);
            _log.Warn(AgentEvent.ReadingPaused, ModuleName.Observability, "no room at the link: reading pauses, the kernel counts what it cannot keep");
        }
        else
        {
            _log.Info(AgentEvent.ReadingResumed, ModuleName.Observability, "reading goes on");
        }
    }
}
