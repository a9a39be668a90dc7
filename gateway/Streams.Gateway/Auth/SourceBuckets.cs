namespace Streams.Gateway.Auth;

/// <summary>
/// A token bucket per source, before anything else is done for a connection. The table is bounded: a source whose bucket is full again is forgotten, which changes
/// nothing; when that does not make room, new sources share one bucket, so that a flood of addresses costs no memory. Thread-safe.
/// </summary>
internal sealed class SourceBuckets(int rate, int burst)
{
    public const int MaxSources = 65_536;

    private static readonly SourcePrefix Overflow = new(ulong.MaxValue, true);

    private struct Bucket
    {
        public double Tokens;
        public long At;
    }

    private readonly Lock _gate = new();
    private readonly Dictionary<SourcePrefix, Bucket> _buckets = [];

    public int Sources
    {
        get
        {
            lock (_gate)
            {
                return _buckets.Count;
            }
        }
    }

    /// <summary>Takes a token; false when the source has none left.</summary>
    /// <param name="now">Milliseconds, monotonic.</param>
    public bool TryTake(SourcePrefix source, long now)
    {
        lock (_gate)
        {
            if (!_buckets.ContainsKey(source) && _buckets.Count >= MaxSources)
            {
                Forget(now);
                if (_buckets.Count >= MaxSources)
                {
                    source = Overflow;
                }
            }

            var bucket = _buckets.TryGetValue(source, out var known) ? Refill(known, now) : new Bucket { Tokens = burst, At = now };
            var taken = bucket.Tokens >= 1;
            if (taken)
            {
                bucket.Tokens -= 1;
            }

            _buckets[source] = bucket;
            return taken;
        }
    }

    private Bucket Refill(Bucket bucket, long now) =>
        new() { Tokens = Math.Min(burst, bucket.Tokens + ((now - bucket.At) * (double)rate / 1000)), At = now };

    private void Forget(long now)
    {
        foreach (var (source, bucket) in _buckets)
        {
            if (Refill(bucket, now).Tokens >= burst)
            {
                _buckets.Remove(source);
            }
        }
    }
}
