namespace Streams.Schema;

/// <summary>Names of the causes, in the order of their numbers.</summary>
public static class LossCauses
{
    private static readonly string[] NameByNumber =
    [
        "unknown", "ring_full", "rate_limited", "shed", "read_fault", "reader", "spool_evicted", "spool_corrupt", "agent_restart",
        "server_lost", "dead_letter", "expired",
    ];

    /// <summary>Name by number: <c>Names[(int)cause]</c>.</summary>
    public static IReadOnlyList<string> Names => NameByNumber;

    public static int Count => NameByNumber.Length;

    /// <summary>The name; a cause that a newer agent invented counts as unknown.</summary>
    public static string Name(LossCause cause) => NameByNumber[(int)OrUnknown(cause)];

    /// <summary>The cause itself, or <see cref="LossCause.Unknown"/> for a number that this build does not know.</summary>
    public static LossCause OrUnknown(LossCause cause) => (int)cause < NameByNumber.Length ? cause : LossCause.Unknown;
}
