namespace Streams.AgentLink.Connect;

/// <summary>
/// Waits between attempts: exponential with full jitter (uniform in [0, min(max, base · 2^n)]), so that a fleet that lost its gateway at
/// one moment comes back
/// spread. A gateway's retry_after is a lower bound, with a quarter of jitter on top. Not thread-safe.
/// </summary>
internal sealed class Backoff(TimeSpan first, TimeSpan max, Random random)
{
    /// <summary>A session that lived this long was a success: the next failure starts from the base again.</summary>
    internal static readonly TimeSpan Healthy = TimeSpan.FromSeconds(30);

    /// <summary>A wish beyond this is not honoured: a gateway must not be able to silence an agent for good.</summary>
    internal static readonly TimeSpan MaxRetryAfter = TimeSpan.FromHours(1);

    private int _failures;

    internal TimeSpan Next(TimeSpan retryAfter)
    {
        var bound = Math.Min(max.TotalMilliseconds, first.TotalMilliseconds * Math.Pow(2, Math.Min(_failures, 30)));
        _failures++;
        if (retryAfter > TimeSpan.Zero)
        {
            var wish = Math.Min(retryAfter.TotalMilliseconds, MaxRetryAfter.TotalMilliseconds);
            return TimeSpan.FromMilliseconds(wish * (1 + random.NextDouble() / 4));
        }

        return TimeSpan.FromMilliseconds(bound * random.NextDouble());
    }

    internal void Reset() => _failures = 0;
}
