namespace Streams.Worker.Commit;

/// <summary>
/// How many dead letters an agent may make in an hour: beyond it its lanes are held, because whatever is wrong with it is not cured by
/// giving up its data. Bound: one entry per agent that made one, forgotten after its hour. Thread-safe.
/// </summary>
internal sealed class DeadLetterQuota(TimeProvider time, int perHour)
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, (long Since, int Count)> _agents = new(StringComparer.Ordinal);

    /// <summary>True while the agent has used up its hour.</summary>
    public bool IsExhausted(string agentId)
    {
        lock (_gate)
        {
            return _agents.Count != 0 && Current(agentId).Count >= perHour;
        }
    }

    /// <summary>Counts one; false when the hour is used up. What is dead already counts all the same.</summary>
    public bool TryTake(string agentId)
    {
        lock (_gate)
        {
            var (since, count) = Current(agentId);
            _agents[agentId] = (since, count + 1);
            return count < perHour;
        }
    }

    private (long Since, int Count) Current(string agentId)
    {
        var now = time.GetTimestamp();
        if (!_agents.TryGetValue(agentId, out var used))
        {
            return (now, 0);
        }

        if (time.GetElapsedTime(used.Since, now) < Hour)
        {
            return used;
        }

        foreach (var (agent, other) in _agents)
        {
            if (time.GetElapsedTime(other.Since, now) >= Hour)
            {
                _agents.Remove(agent);
            }
        }

        return (now, 0);
    }
}
