using System.Collections.Concurrent;

namespace Streams.Worker.Commit;

/// <summary>
/// Inserts of this process that nobody waits for any more though they may still run: no clean answer, and no KILL that succeeded before
/// their partitions lost their fence. Recovery ends them before it reads back; those of dead processes it finds by their owner.
/// </summary>
internal sealed class AbandonedInserts
{
    private readonly ConcurrentDictionary<long, bool> _serials = new();

    public int Count => _serials.Count;

    /// <summary>The insert is about to be sent.</summary>
    public void Sent(long serial) => _serials[serial] = false;

    /// <summary>It has ended: it succeeded, or it was killed.</summary>
    public void Ended(long serial) => _serials.TryRemove(serial, out _);

    /// <summary>Whoever sent it is gone.</summary>
    public void Abandon(long serial) => _serials.TryUpdate(serial, true, false);

    /// <summary>
    /// Those that recovery must kill. Two partitions may find the same one: both kill it, because each must know that it ended before it
    /// reads back.
    /// </summary>
    public IReadOnlyList<long> ToKill() => [.. _serials.Where(static insert => insert.Value).Select(static insert => insert.Key)];
}
