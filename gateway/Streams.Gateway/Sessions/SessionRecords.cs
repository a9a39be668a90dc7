using System.Collections.Concurrent;
using Streams.Queue;

namespace Streams.Gateway.Sessions;

/// <summary>
/// The store's records as the watch told them, so that a handshake need not ask for its own: what is stale here loses the compare-and-set and is asked for the next
/// time. Empty while there is no watch that is current. Thread-safe.
/// </summary>
internal sealed class SessionRecords
{
    private readonly ConcurrentDictionary<string, Entry<SessionRecord>> _entries = new(StringComparer.Ordinal);
    private volatile bool _current;

    /// <summary>The newest record that is known; false: ask the store.</summary>
    public bool TryGet(string agentId, out Entry<SessionRecord> entry)
    {
        entry = default;
        return _current && _entries.TryGetValue(agentId, out entry);
    }

    /// <summary>The watch has told everything that there was.</summary>
    public void Begin() => _current = true;

    /// <summary>The watch ended: what happens now is not heard.</summary>
    public void End()
    {
        _current = false;
        _entries.Clear();
    }

    public void Put(in Entry<SessionRecord> entry) => _entries.AddOrUpdate(
        entry.Key, static (_, added) => added, static (_, known, added) => added.Revision > known.Revision ? added : known, entry);

    /// <summary>The record was removed, or is not the newest.</summary>
    public void Forget(string agentId) => _entries.TryRemove(agentId, out _);
}
