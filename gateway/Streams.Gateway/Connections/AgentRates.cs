namespace Streams.Gateway.Connections;

/// <summary>
/// The rates of all agents that were here lately. Those that are full again are forgotten when there are twice as many as were left the time before. Thread-safe.
/// </summary>
internal sealed class AgentRates(GatewayOptions options)
{
    private const int FirstSweep = 1024;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, AgentRate> _rates = [];
    private int _sweepAt = FirstSweep;

    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _rates.Count;
            }
        }
    }

    /// <param name="now">Milliseconds, monotonic.</param>
    public AgentRate Of(string agentId, long now)
    {
        lock (_gate)
        {
            if (_rates.TryGetValue(agentId, out var rate))
            {
                return rate;
            }

            if (_rates.Count >= _sweepAt)
            {
                foreach (var (id, known) in _rates)
                {
                    // A living session keeps its own: the agent's next one begins with a full bucket, as this one is.
                    if (known.IsFull(now))
                    {
                        _rates.Remove(id);
                    }
                }

                _sweepAt = Math.Max(FirstSweep, _rates.Count * 2);
            }

            return _rates[agentId] = new AgentRate(options, now);
        }
    }
}
