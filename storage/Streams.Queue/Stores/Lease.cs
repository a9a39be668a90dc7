using System.Diagnostics;

namespace Streams.Queue;

/// <summary>A lease in hand. Check <see cref="IsValid"/> right before each deed that needs it; renew well before its end. For one
/// caller at a time.</summary>
public sealed class Lease
{
    private readonly LeaseStore _store;
    private ulong _revision;
    private long _deadline;

    internal Lease(LeaseStore store, string key, string previousOwner, ulong revision, long deadline)
    {
        _store = store;
        Key = key;
        PreviousOwner = previousOwner;
        _revision = revision;
        _deadline = deadline;
    }

    public string Key { get; }

    public string Owner => _store.Owner;

    /// <summary>Who had it before (may be this process), or empty: its unfinished inserts must be killed before the first read
    /// back.</summary>
    public string PreviousOwner { get; }

    /// <summary>True while the lease certainly stands, by the monotonic clock.</summary>
    public bool IsValid => Remaining > TimeSpan.Zero;

    /// <summary>How long it certainly still stands; zero or less when it does not.</summary>
    public TimeSpan Remaining => Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), Interlocked.Read(ref _deadline));

    /// <summary>Prolongs it. False: another has it, and this lease is over at once.</summary>
    /// <exception cref="QueueException">No answer: it stands until its end; try again before.</exception>
    public async Task<bool> RenewAsync(CancellationToken cancel = default)
    {
        if (await _store.RenewAsync(Key, PreviousOwner, _revision, cancel).ConfigureAwait(false) is not { } renewed)
        {
            Interlocked.Exchange(ref _deadline, 0);
            return false;
        }

        _revision = renewed.Revision;
        Interlocked.Exchange(ref _deadline, renewed.Deadline);
        return true;
    }

    /// <summary>Gives it up; the next can have it at once. Call it when nothing done under it is under way any more.</summary>
    public async Task ReleaseAsync(CancellationToken cancel = default)
    {
        Interlocked.Exchange(ref _deadline, 0);
        await _store.ReleaseAsync(Key, _revision, cancel).ConfigureAwait(false);
    }
}
