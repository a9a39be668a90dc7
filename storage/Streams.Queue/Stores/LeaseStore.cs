using System.Diagnostics;
using System.Globalization;
using Streams.Queue.Stores;

namespace Streams.Queue;

/// <summary>The result of one attempt to get a lease.</summary>
/// <param name="Lease">The lease, or null.</param>
/// <param name="Holder">Who holds it otherwise.</param>
/// <param name="RetryAfter">When another attempt can succeed at the earliest, if the holder does not renew.</param>
public readonly record struct LeaseAttempt(Lease? Lease, string Holder, TimeSpan RetryAfter);

/// <summary>
/// Leases by compare-and-set. No two machines' clocks are compared: the owner counts its time on its own monotonic clock from before
/// each write, and a successor takes over
/// only after it has itself watched the record stand still for the whole duration. So there are never two owners that both believe their
/// lease; what the old
/// owner sent before its end may still be on its way (see <see cref="Lease.PreviousOwner"/>).
/// </summary>
public sealed class LeaseStore
{
    private readonly Bucket<LeaseRecord> _bucket;
    private readonly TimeSpan _duration;
    private readonly Dictionary<string, (ulong Revision, long Since)> _watched = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();

    private LeaseStore(Bucket<LeaseRecord> bucket, string owner, TimeSpan duration)
    {
        _bucket = bucket;
        Owner = owner;
        _duration = duration;
    }

    /// <summary>The id of this process, drawn at random by the caller.</summary>
    public string Owner { get; }

    /// <summary>Opens the bucket.</summary>
    /// <param name="connection">Of the worker's role.</param>
    /// <param name="owner">Random id of this process.</param>
    /// <param name="duration">How long a lease lasts without renewal; 15 s if null. Longer than any pause of a healthy process, shorter
    /// than an operator's patience.</param>
    /// <param name="cancel">Gives up.</param>
    public static async Task<LeaseStore> OpenAsync(
        QueueConnection connection, string owner, TimeSpan? duration = null, CancellationToken cancel = default) =>
        new(
            await Bucket<LeaseRecord>.OpenAsync(
                connection, Topology.Leases, RecordsJson.Default.LeaseRecord, cancel).ConfigureAwait(false),
            owner,
            duration ?? TimeSpan.FromSeconds(15));

    /// <summary>Key of a partition's lease.</summary>
    public static string Partition(int partition) => string.Create(CultureInfo.InvariantCulture, $"partition.{partition}");

    /// <summary>Tries once.</summary>
    /// <exception cref="QueueException">The store cannot be reached.</exception>
    public async Task<LeaseAttempt> TryAcquireAsync(string key, CancellationToken cancel = default)
    {
        var (record, revision) = await _bucket.GetAsync(key, cancel).ConfigureAwait(false);
        // Our own record may be from a write whose answer was lost: nobody else counts on it.
        if (record is { Owner.Length: > 0 } && record.Owner != Owner
            && Watch(key, revision, TimeSpan.FromMilliseconds(record.DurationMs)) is { Ticks: > 0 } left)
            return new LeaseAttempt(null, record.Owner, left);
        var previous = record is null ? "" : record.Owner.Length > 0 ? record.Owner : record.LastOwner;
        var started = Stopwatch.GetTimestamp();
        var written = await _bucket.TryWriteAsync(key, Record(previous), revision, cancel).ConfigureAwait(false);
        if (written is null)
            return new LeaseAttempt(null, "another", _duration);
        return new LeaseAttempt(new Lease(this, key, previous, written.Value, started + Ticks(_duration)), Owner, TimeSpan.Zero);
    }

    internal async Task<(ulong Revision, long Deadline)?> RenewAsync(string key, string previous, ulong revision, CancellationToken cancel)
    {
        var started = Stopwatch.GetTimestamp();
        var written = await _bucket.TryWriteAsync(key, Record(previous), revision, cancel).ConfigureAwait(false);
        if (written is null)
        {
            // A renewal whose answer was lost was written all the same. Only this process writes its id: then the lease is still ours.
            var (record, found) = await _bucket.GetAsync(key, cancel).ConfigureAwait(false);
            if (record?.Owner == Owner)
                written = await _bucket.TryWriteAsync(key, Record(previous), found, cancel).ConfigureAwait(false);
        }

        return written is { } value ? (value, started + Ticks(_duration)) : null;
    }

    internal async Task ReleaseAsync(string key, ulong revision, CancellationToken cancel)
    {
        var released = new LeaseRecord("", (long)_duration.TotalMilliseconds, DateTimeOffset.UtcNow, Owner);
        if (await _bucket.TryWriteAsync(key, released, revision, cancel).ConfigureAwait(false) is not null)
            return;
        // As in a renewal: otherwise the successor waits for a lease that nobody holds.
        var (record, found) = await _bucket.GetAsync(key, cancel).ConfigureAwait(false);
        if (record?.Owner == Owner)
            await _bucket.TryWriteAsync(key, released, found, cancel).ConfigureAwait(false);
    }

    private static long Ticks(TimeSpan duration) => (long)(duration.TotalSeconds * Stopwatch.Frequency);

    private LeaseRecord Record(string previous) =>
        new(Owner, (long)_duration.TotalMilliseconds, DateTimeOffset.UtcNow + _duration, previous);

    // How long this record must still stand, counted from when this process first saw this revision.
    private TimeSpan Watch(string key, ulong revision, TimeSpan duration)
    {
        lock (_gate)
        {
            if (!_watched.TryGetValue(key, out var seen) || seen.Revision != revision)
                _watched[key] = seen = (revision, Stopwatch.GetTimestamp());
            return duration - Stopwatch.GetElapsedTime(seen.Since);
        }
    }
}
