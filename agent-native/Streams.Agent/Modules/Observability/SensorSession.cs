using Streams.Agent.Configuration;
using Streams.Agent.Logging;
using Streams.Agent.Modules.Comm;
using Streams.Agent.Modules.Core;
using Streams.Agent.Modules.Observability.Batching;
using Streams.Agent.Modules.Observability.Sensor;
using Streams.Schema;

namespace Streams.Agent.Modules.Observability;

/// <summary>
/// One life of the sensor: from attached programs to the last barrier. <see cref="Run"/> is the reader thread; what it counts may be read from
/// other threads.
/// </summary>
internal sealed class SensorSession : IDisposable
{
    /// <summary>Longest wait for records: bounds what a stop and a barrier wait for, and the delay of a lone record.</summary>
    private const int LongestWaitMilliseconds = 200;

    /// <summary>While a batch is open its next records are likely soon.</summary>
    private const int OpenWaitMilliseconds = 50;

    /// <summary>Records between two looks at the clock: a batch's age is exact to the time these take (below 1 ms).</summary>
    private const int DrainStep = 1024;

    private readonly SensorInstance _instance;
    private readonly AgentLog _log;
    private readonly StampSnapshot _snapshot = new();
    private long _pauses;
    private long _stopAt = long.MaxValue;
    private volatile bool _stopping;

    public SensorSession(AgentConfiguration configuration, SensorInstance instance, IBatchSink sink, AgentLog log, TimeProvider clock)
    {
        _instance = instance;
        _log = log;
        BarrierMilliseconds = configuration.BarrierSeconds * 1000;
        Epoch = Epoch.Read(instance.Epoch.Span);
        Batches = new EventBatches(configuration, sink, Epoch, instance.Cpus, OnPause);
        Barriers = new BarrierWriter(sink, Epoch, clock);
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

    /// <summary>The reader thread's work: returns after <see cref="Stop"/> and the last barrier.</summary>
    public void Run()
    {
        var sink = new EventAppender(Batches);
        var nextBarrier = Environment.TickCount64 + BarrierMilliseconds;
        while (!_stopping)
        {
            while (Reader.Drain(ref sink, DrainStep) == DrainStep && !_stopping)
                Batches.SendDue(Environment.TickCount64);
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
        Barrier(stop: true);
        foreach (var batch in Batches.All)
        {
            if (batch.GivenUpBatches > 0)
                _log.Error(AgentEvent.GivenUp, ModuleName.Observability,
                    $"{batch.Builder.Class.Name}: {batch.GivenUpRows} rows and {batch.GivenUpLost} counted losses in {batch.GivenUpBatches} batches had no room at the link before the deadline and are given up");
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
        _instance.Dispose();
    }

    // S is read first; then everything up to S is in batches, which go before the barrier in the same lane. Later numbers may be in
    // them as well, in ledger entries of their own.
    private void Barrier(bool stop)
    {
        _instance.Read(_snapshot);
        var sink = new BarrierAppender(Batches, _snapshot);
        if (!Reader.Settle(ref sink, _snapshot))
            _log.Error(AgentEvent.BarrierFailed, ModuleName.Observability, "numbers without record and without counter were reported as unknown; please report this");
        Batches.SendAll();
        if (!Barriers.Write(_snapshot, _instance.ReadMissed(), stop))
            _log.Warn(AgentEvent.BarrierFailed, ModuleName.Observability, "a barrier waits for room at the link");
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
