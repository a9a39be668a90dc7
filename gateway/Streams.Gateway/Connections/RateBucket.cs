namespace Streams.Gateway.Connections;

/// <summary>Tokens that come back at a rate, up to what <paramref name="burst"/> of it gives. Not thread-safe.</summary>
/// <param name="rate">Tokens a second.</param>
/// <param name="now">Milliseconds, monotonic.</param>
internal struct RateBucket(long rate, TimeSpan burst, long now)
{
    private readonly double _most = rate * burst.TotalSeconds;
    private double _tokens = rate * burst.TotalSeconds;
    private long _at = now;

    /// <summary>Takes what is there; false when it is too little, and then takes nothing.</summary>
    public bool TryTake(int tokens, long now)
    {
        Refill(now);
        if (_tokens < tokens)
        {
            return false;
        }

        _tokens -= tokens;
        return true;
    }

    public bool IsFull(long now)
    {
        Refill(now);
        return _tokens >= _most;
    }

    private void Refill(long now)
    {
        // A caller that looked at the clock before another came in later: time does not go back for it.
        var passed = Math.Max(0, now - _at);
        _tokens = Math.Min(_most, _tokens + (passed * (double)rate / 1000));
        _at += passed;
    }
}
