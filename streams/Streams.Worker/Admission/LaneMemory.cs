namespace Streams.Worker.Admission;

/// <summary>How long a lane is known after it was heard of last.</summary>
/// <remarks>
/// A lane ends with its agent's process or its spool segment, and nobody says so: kept for as long as the ledger is, they would fill the
/// memory. Forgotten too soon, a lane that comes again from its first batch would be stored twice. So a lane is forgotten a day after its
/// rows have expired: then there is nothing that could be doubled. Never sooner than a month, which no host with data in its spool is
/// expected to be away.
/// </remarks>
internal static class LaneMemory
{
    private const int LeastDays = 30;

    /// <summary>How often what is too old is looked for: a pass over all lanes.</summary>
    public static readonly TimeSpan Sweep = TimeSpan.FromHours(1);

    /// <param name="ttlDays">Days that rows of classes are kept.</param>
    public static TimeSpan For(int ttlDays) => TimeSpan.FromDays(Math.Max(LeastDays, ttlDays) + 1);
}
