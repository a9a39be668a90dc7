namespace Streams.Checker.Journals;

/// <summary>
/// The value by which a stored event shows that it is the one that was emitted: a column that is a function of its number, so that
/// neither an
/// altered number nor an altered value goes unseen.
/// </summary>
public static class EventMark
{
    private const ulong Multiplier = 0x9E37_79B9_7F4A_7C15;

    /// <summary>The mark of an event.</summary>
    public static ulong Of(ulong sensorEpoch, ulong seq) => unchecked((seq + sensorEpoch) * Multiplier);

    /// <summary>The same in ClickHouse's arithmetic, which wraps as well.</summary>
    internal static string Sql(ulong sensorEpoch) => $"toUInt64((seq + toUInt64({sensorEpoch})) * toUInt64({Multiplier}))";
}
