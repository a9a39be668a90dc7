using Streams.Schema;

namespace Streams.AgentLink;

/// <summary>The spool's clock, and what of it is worth a line in the log.</summary>
public sealed partial class AgentLink
{
    /// <summary>What a loss of power may cost, beside 4 MiB.</summary>
    private static readonly TimeSpan SyncInterval = TimeSpan.FromSeconds(1);

    /// <summary>Losses are told at most this often: under a full quota they would be told every second.</summary>
    private static readonly TimeSpan TellInterval = TimeSpan.FromMinutes(1);

    private readonly ITimer _tick;
    private readonly Lock _tellGate = new();
    private int _ticking;
    private bool _toldRefused;
    private ulong _toldEvicted;
    private ulong _toldCorrupt;
    private long _toldAt;

    /// <summary>Share of the room of the class that uncommitted batches use, 0 to 1.</summary>
    public double FillOf(PriorityClass priority) => _lanes.FillOf(priority);

    /// <summary>Tells of the ledger of every batch that earlier processes left in the spool, in the order of lanes and n. Of what was
    /// committed since only within <see cref="AgentLinkOptions.KeepLeftFor"/>.</summary>
    public void VisitSpooled(SpooledEntryVisitor visitor) => _lanes.VisitSpooled(visitor);

    /// <summary>The timer runs only while there is something to sync or a refusing disk to ask again: a quiet agent sleeps.</summary>
    private void Arm()
    {
        if (_lanes.NeedsTick && Interlocked.Exchange(ref _ticking, 1) == 0)
        {
            _tick.Change(SyncInterval, Timeout.InfiniteTimeSpan);
        }
    }

    private void Tick()
    {
        Volatile.Write(ref _ticking, 0);
        _lanes.Sync();
        if (_lanes.Degraded)
        {
            // Its retry is a matter of time and not of freed memory.
            _space.Set();
        }

        TellSpool();
        Arm();
    }

    private void TellSpool()
    {
        if (_lanes.SpoolCounters is not { } counters)
        {
            return;
        }

        if (_lanes.Degraded != _toldRefused)
        {
            _toldRefused = !_toldRefused;
            Tell(_toldRefused ? LinkEventKind.SpoolRefused : LinkEventKind.SpoolAccepted,
                _toldRefused ? $"the spool's disk refuses ({counters.LastError}): batches are kept in memory"
                : "the spool's disk takes batches again");
        }

        var news = counters.RowsEvicted + counters.BatchesCorrupt > _toldEvicted + _toldCorrupt;
        if (news && (_toldAt == 0 || _time.GetElapsedTime(_toldAt) > TellInterval))
        {
            Tell(LinkEventKind.SpoolLoss,
                $"{counters.RowsEvicted - _toldEvicted} rows were given up because their class's part of the spool is full, " +
                $"{counters.BatchesCorrupt - _toldCorrupt} batches could not be read back; both are counted in the ledger");
            _toldAt = _time.GetTimestamp();
            _toldEvicted = counters.RowsEvicted;
            _toldCorrupt = counters.BatchesCorrupt;
        }
    }

    private void Tell(LinkEventKind kind, string detail, TimeSpan retryIn = default)
    {
        // The timer and the session tell; hooks are not called beside themselves.
        lock (_tellGate)
        {
            _hooks.OnEvent?.Invoke(new LinkEvent(kind, detail, retryIn));
        }
    }
}
