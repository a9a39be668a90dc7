namespace Streams.Agent.Modules.Core;

/// <summary>1 s, 2 s, 4 s ... 60 s between attempts; back to the start after five minutes without a failure.</summary>
/// <remarks>No jitter: one host's module restarts hit nobody else. Reconnecting to the gateway has its own, jittered, in AgentLink.</remarks>
internal sealed class RestartBackOff
{
    public static readonly TimeSpan First = TimeSpan.FromSeconds(1);
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);
    public static readonly TimeSpan Forget = TimeSpan.FromMinutes(5);

    private int _failures;
    private TimeSpan? _last;

    /// <summary>When to try again after a failure at <paramref name="now"/>; both on the manager's monotonic clock.</summary>
    public TimeSpan Next(TimeSpan now)
    {
        if (now - _last > Forget)
            _failures = 0;
        _last = now;
        var delay = TimeSpan.FromTicks(Math.Min(Longest.Ticks, First.Ticks << Math.Min(_failures, 16)));
        _failures++;
        return now + delay;
    }
}
