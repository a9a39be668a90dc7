using Streams.Wire;

namespace Streams.Gateway.Heartbeat;

/// <summary>
/// The deadlines of one session: heartbeats both ways, its age, watermarks at most once a second. All times are <see cref="Environment.TickCount64"/>. A value inside
/// the session, so that it costs no object.
/// </summary>
internal struct HeartbeatMonitor
{
    private const long WatermarkInterval = 1000;

    private readonly long _interval;
    private readonly long _expires;
    private long _heard;
    private long _nextOut;
    private long _told;

    /// <param name="now">When the session began.</param>
    /// <param name="seconds">Between heartbeats.</param>
    /// <param name="sessionSeconds">Longest life of the session; it lives 75 to 100 % of it, so that a fleet does not start again at once.</param>
    public HeartbeatMonitor(long now, int seconds, int sessionSeconds)
    {
        _interval = seconds * 1000L;
        _heard = now;
        // The first is spread over the interval: sessions that began together must not beat together.
        _nextOut = now + Random.Shared.NextInt64(_interval) + 1;
        _expires = now + (long)(sessionSeconds * 1000L * (0.75 + (Random.Shared.NextDouble() / 4)));
        _told = now - WatermarkInterval;
    }

    public readonly bool IsExpired(long now) => now >= _expires;

    /// <summary>Three in a row did not come; half an interval more for the way.</summary>
    public readonly bool IsLost(long now) => now - Volatile.Read(in _heard) > (_interval * Limits.MissedHeartbeats) + (_interval / 2);

    public void Heard(long now) => Volatile.Write(ref _heard, now);

    /// <summary>True once per interval.</summary>
    public bool IsDue(long now)
    {
        if (now < _nextOut)
        {
            return false;
        }

        _nextOut = now + _interval;
        return true;
    }

    /// <summary>True at most once a second; the caller then tells the watermarks.</summary>
    public bool MayTell(long now)
    {
        var told = Volatile.Read(ref _told);
        return now - told >= WatermarkInterval && Interlocked.CompareExchange(ref _told, now, told) == told;
    }
}
