using Streams.Queue;
using Streams.Schema;
using Streams.Worker.Admission;

namespace Streams.Worker.Commit;

/// <summary>
/// How far each lane of a partition is committed: state that can always be asked, and deltas that are coalesced until they are taken.
/// A lost delta costs nothing: the next one, a duplicate of the agent, or a question repeats it. Thread-safe.
/// </summary>
/// <param name="memory">How long a lane that is not heard of is known.</param>
internal sealed class Watermarks(TimeProvider time, TimeSpan memory)
{
    /// <summary>Lanes that an answer names, newest first: 64 open lanes per agent (review 15), twice for a restart.</summary>
    public const int AnswerLimit = 128;

    /// <summary>
    /// A lane that had a batch so lately shows what it lost by its next one; what the gateway published meanwhile is not lost but on its way.
    /// </summary>
    internal static readonly TimeSpan Idle = TimeSpan.FromSeconds(2);

    private readonly Lock _gate = new();
    private readonly Dictionary<LaneKey, Mark> _marks = [];
    private readonly Dictionary<string, List<LaneKey>> _agents = new(StringComparer.Ordinal);
    private readonly HashSet<LaneKey> _changed = [];
    private readonly Dictionary<LaneKey, FlowRecord> _asked = [];
    private long _tick;
    private long _swept = time.GetTimestamp();

    public int Lanes
    {
        get
        {
            lock (_gate)
            {
                return _marks.Count;
            }
        }
    }

    /// <summary>What recovery read from the ledger.</summary>
    public void Restore(in LaneKey key, Epoch epoch, uint committed) => Set(key, epoch, committed, announce: false);

    /// <summary>The batches below <paramref name="committed"/> have their ledger rows.</summary>
    public void Advance(in LaneKey key, Epoch epoch, uint committed) => Set(key, epoch, committed, announce: true);

    /// <summary>The agent sent what is admitted already: tell it the lane's mark once more.</summary>
    public void Repeat(in LaneKey key, Epoch epoch) => Set(key, epoch, 0, announce: true);

    /// <summary>The batches below <paramref name="expected"/> are in ranges or committed: what the lane need not go back to.</summary>
    public void Admit(in LaneKey key, Epoch epoch, uint expected) => Set(key, epoch, 0, announce: false, expected);

    /// <summary>The lane must go back to <paramref name="expected"/>.</summary>
    public void Rewind(in LaneKey key, Epoch epoch, uint expected) => Ask(FlowKind.Rewind, key, epoch, expected);

    /// <summary>The lane must wait: batch <paramref name="n"/> cannot be stored yet.</summary>
    public void Hold(in LaneKey key, Epoch epoch, uint n) => Ask(FlowKind.Hold, key, epoch, n);

    /// <summary>
    /// Moves what is to be told now into <paramref name="marks"/>; rewinds and holds last, so that an agent first frees what it may.
    /// </summary>
    public void Take(List<FlowRecord> marks)
    {
        lock (_gate)
        {
            foreach (var key in _changed)
            {
                marks.Add(Told(key));
            }

            marks.AddRange(_asked.Values);
            _changed.Clear();
            _asked.Clear();
            var now = time.GetTimestamp();
            if (time.GetElapsedTime(_swept, now) >= LaneMemory.Sweep)
            {
                Forget(now);
            }
        }
    }

    /// <summary>The agent's lanes, the most recently advanced first.</summary>
    /// <param name="caughtUp">
    /// Nothing that the queue has is unread: what is expected now is lost, and each lane that is idle is told to go back to it. A gateway
    /// that has not forwarded it yet ignores that.
    /// </param>
    public void Answer(string agentId, List<FlowRecord> marks, bool caughtUp = false)
    {
        lock (_gate)
        {
            if (!_agents.TryGetValue(agentId, out var keys))
            {
                return;
            }

            if (keys.Count > AnswerLimit)
            {
                keys.Sort((x, y) => _marks[y].Tick.CompareTo(_marks[x].Tick));
            }

            foreach (var key in keys.Take(AnswerLimit))
            {
                marks.Add(Told(key));
                if (caughtUp && _marks[key] is { Held: false } mark
                    && (mark.AdmittedAt is not { } at || time.GetElapsedTime(at) >= Idle))
                {
                    marks.Add(new FlowRecord(
                        FlowKind.Rewind, key.AgentId, mark.Epoch, key.Lane, Math.Max(mark.Committed, mark.Expected)));
                }
            }
        }
    }

    private void Ask(FlowKind kind, in LaneKey key, Epoch epoch, uint n)
    {
        lock (_gate)
        {
            _asked[key] = new FlowRecord(kind, key.AgentId, epoch, key.Lane, n);
            if (_marks.TryGetValue(key, out var mark))
            {
                _marks[key] = mark with { Held = kind == FlowKind.Hold };
            }
        }
    }

    private void Forget(long now)
    {
        _swept = now;
        foreach (var (agent, keys) in _agents)
        {
            foreach (var key in keys)
            {
                if (time.GetElapsedTime(_marks[key].At, now) > memory)
                {
                    _marks.Remove(key);
                }
            }

            keys.RemoveAll(key => !_marks.ContainsKey(key));
            if (keys.Count == 0)
            {
                _agents.Remove(agent);
            }
        }
    }

    private FlowRecord Told(in LaneKey key)
    {
        var mark = _marks[key];
        return new FlowRecord(FlowKind.Watermark, key.AgentId, mark.Epoch, key.Lane, mark.Committed);
    }

    private void Set(in LaneKey key, Epoch epoch, uint committed, bool announce, uint expected = 0)
    {
        lock (_gate)
        {
            if (!_marks.TryGetValue(key, out var mark))
            {
                if (!_agents.TryGetValue(key.AgentId, out var keys))
                {
                    _agents.Add(key.AgentId, keys = []);
                }

                keys.Add(key);
            }

            _marks[key] = new Mark(
                epoch,
                Math.Max(mark.Committed, committed),
                Math.Max(mark.Expected, expected),
                // Admitted again: whatever it was held for is over.
                mark.Held && expected <= mark.Expected,
                ++_tick,
                time.GetTimestamp(),
                expected > mark.Expected ? time.GetTimestamp() : mark.AdmittedAt);
            if (announce)
            {
                _changed.Add(key);
            }
        }
    }

    private readonly record struct Mark(Epoch Epoch, uint Committed, uint Expected, bool Held, long Tick, long At, long? AdmittedAt);
}
