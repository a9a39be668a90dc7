namespace Streams.Local;

/// <summary>
/// How long to wait before a child is started again: 0.5 s, doubled each time up to 30 s, from the start again after a child has lived a
/// minute. Short enough that a killed server is away for a second, long enough that one which cannot start costs no CPU.
/// </summary>
public sealed class RestartBackoff
{
    public static readonly TimeSpan First = TimeSpan.FromSeconds(0.5);
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);
    public static readonly TimeSpan LongLife = TimeSpan.FromMinutes(1);

    private TimeSpan _next = First;

    /// <summary>The wait before the next start.</summary>
    /// <param name="lived">How long the child ran; zero if it did not come up.</param>
    public TimeSpan Next(TimeSpan lived)
    {
        var wait = lived >= LongLife ? First : _next;
        _next = wait * 2 < Longest ? wait * 2 : Longest;
        return wait;
    }
}
