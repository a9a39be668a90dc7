using System.Collections.Concurrent;

namespace Streams.Gateway.Sessions;

/// <summary>The living sessions of this process, by agent.</summary>
internal sealed class SessionRegistry
{
    private readonly ConcurrentDictionary<string, AgentSession> _sessions = new(StringComparer.Ordinal);

    public int Count => _sessions.Count;

    public ICollection<AgentSession> All => _sessions.Values;

    public AgentSession? Find(string agentId) => _sessions.GetValueOrDefault(agentId);

    /// <summary>Adds a session and displaces an older one of the same agent; a newer one displaces this.</summary>
    public void Add(AgentSession session)
    {
        while (true)
        {
            if (_sessions.TryAdd(session.Route.AgentId, session))
            {
                return;
            }

            if (!_sessions.TryGetValue(session.Route.AgentId, out var other))
            {
                continue;
            }

            if (other.Route.Generation >= session.Route.Generation)
            {
                session.End(SessionEnd.Displaced);
                return;
            }

            if (_sessions.TryUpdate(session.Route.AgentId, session, other))
            {
                other.End(SessionEnd.Displaced);
                return;
            }
        }
    }

    public void Remove(AgentSession session) => _sessions.TryRemove(new KeyValuePair<string, AgentSession>(session.Route.AgentId, session));

    /// <summary>The store says that a generation of the agent began, here or at another gateway.</summary>
    public void GenerationBegan(string agentId, ulong generation)
    {
        if (_sessions.TryGetValue(agentId, out var session) && session.Route.Generation < generation)
        {
            session.End(SessionEnd.Displaced);
        }
    }
}
