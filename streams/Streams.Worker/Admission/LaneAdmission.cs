using System.Runtime.InteropServices;

namespace Streams.Worker.Admission;

/// <summary>
/// The only place that decides what enters the tables: per lane exactly the next number. Below it is a duplicate,
/// above it is dropped and the agent is asked to go back, so that its spool is the retransmission buffer.
/// Not thread-safe: it belongs to the graph of one partition.
/// </summary>
/// <param name="memory">How long a lane that is not heard of is known.</param>
internal sealed class LaneAdmission(TimeProvider time, TimeSpan memory)
{
    /// <summary>
    /// A rewind or a hold may be lost on its way, so it is repeated while the same session keeps sending above the gap; rarely, because
    /// what was sent before the agent obeyed may still be in the queue, and each one makes it send everything again.
    /// </summary>
    internal static readonly TimeSpan RewindRepeat = TimeSpan.FromSeconds(5);

    private readonly Dictionary<LaneKey, Lane> _lanes = [];
    private readonly Dictionary<string, Session> _sessions = new(StringComparer.Ordinal);
    private long _swept = time.GetTimestamp();

    public int Lanes => _lanes.Count;

    /// <summary>Sets the next number of a lane from what ClickHouse holds. A number never goes down.</summary>
    public void Restore(in LaneKey key, uint expected)
    {
        ref var lane = ref CollectionsMarshal.GetValueRefOrAddDefault(_lanes, key, out _);
        lane.Expected = Math.Max(lane.Expected, expected);
        lane.TouchedAt = time.GetTimestamp();
    }

    /// <summary>
    /// Judges a message. The lane does not move until <see cref="Advance"/>: a batch that cannot be decoded must not pass it.
    /// </summary>
    public AdmissionVerdict Check(in MessageHead head)
    {
        if (head.Count == 0 || (ulong)head.First + head.Count > uint.MaxValue)
        {
            return new AdmissionVerdict(AdmissionKind.Malformed);
        }

        var now = time.GetTimestamp();
        if (time.GetElapsedTime(_swept, now) >= LaneMemory.Sweep)
        {
            Forget(now);
        }

        ref var session = ref CollectionsMarshal.GetValueRefOrAddDefault(_sessions, head.AgentId, out _);
        if (head.Generation < session.Generation)
        {
            return new AdmissionVerdict(AdmissionKind.StaleSession);
        }

        session = new Session(head.Generation, now);
        ref var lane = ref CollectionsMarshal.GetValueRefOrAddDefault(_lanes, head.Key, out _);
        lane.TouchedAt = now;
        if (head.First > lane.Expected)
        {
            return Above(ref lane, head.Generation, now);
        }

        return head.First + head.Count <= lane.Expected
            ? new AdmissionVerdict(AdmissionKind.Duplicate, lane.Expected)
            : new AdmissionVerdict(AdmissionKind.Accepted, lane.Expected, lane.Expected - head.First);
    }

    /// <summary>Batch <paramref name="n"/> of the lane is in a range: the next one is n + 1.</summary>
    public void Advance(in LaneKey key, uint n)
    {
        ref var lane = ref CollectionsMarshal.GetValueRefOrAddDefault(_lanes, key, out _);
        lane.Expected = n + 1;
        lane.Held = false;
        lane.Asked = false;
    }

    /// <summary>
    /// The next batch of the lane was refused. What follows it is dropped without asking the agent for what it would only send
    /// again.
    /// </summary>
    public void Hold(in LaneKey key, ulong generation)
    {
        ref var lane = ref CollectionsMarshal.GetValueRefOrAddDefault(_lanes, key, out _);
        lane.Held = true;
        lane.Asked = true;
        lane.AskedGeneration = generation;
        lane.AskedAt = time.GetTimestamp();
    }

    private void Forget(long now)
    {
        _swept = now;
        foreach (var (key, lane) in _lanes)
        {
            if (time.GetElapsedTime(lane.TouchedAt, now) > memory)
            {
                _lanes.Remove(key);
            }
        }

        foreach (var (agent, session) in _sessions)
        {
            if (time.GetElapsedTime(session.TouchedAt, now) > memory)
            {
                _sessions.Remove(agent);
            }
        }
    }

    private AdmissionVerdict Above(ref Lane lane, ulong generation, long now)
    {
        var ask = !lane.Asked || lane.AskedGeneration != generation || time.GetElapsedTime(lane.AskedAt, now) >= RewindRepeat;
        if (ask)
        {
            lane.Asked = true;
            lane.AskedGeneration = generation;
            lane.AskedAt = now;
        }

        return new AdmissionVerdict(lane.Held ? AdmissionKind.Held : AdmissionKind.Gap, lane.Expected, AskAgain: ask);
    }

    private struct Lane
    {
        public uint Expected;
        public bool Held;
        public bool Asked;
        public ulong AskedGeneration;
        public long AskedAt;
        public long TouchedAt;
    }

    private readonly record struct Session(ulong Generation, long TouchedAt);
}
