namespace Streams.Gateway.Channels;

/// <summary>
/// How much control traffic a session may have, and how much of it may be wrong: a signature costs more to check than to send garbage. Two leaky buckets in one
/// number each (GCRA); the connection's loop alone uses it.
/// </summary>
internal struct MessageBudget
{
    public const int Burst = 64;
    public const int PerSecond = 20;

    /// <summary>Refused messages that a session may have ...</summary>
    public const int Refusals = 16;

    /// <summary>... one being forgotten after so many milliseconds.</summary>
    public const long RefusalMilliseconds = 10_000;

    private const long MessageMilliseconds = 1000 / PerSecond;

    private long _messages;
    private long _refusals;

    /// <summary>False when there are too many.</summary>
    public bool TryTake(long now) => TryTake(ref _messages, now, MessageMilliseconds, Burst);

    /// <summary>False when the session must end.</summary>
    public bool TryRefuse(long now) => TryTake(ref _refusals, now, RefusalMilliseconds, Refusals);

    private static bool TryTake(ref long full, long now, long each, int burst)
    {
        var next = Math.Max(full, now) + each;
        if (next - now > each * burst)
        {
            return false;
        }

        full = next;
        return true;
    }
}
