using Streams.Wire;

namespace Streams.Gateway.Credit;

/// <summary>
/// Which class is served first in a session's turn. Control and response always go first; the others lead in 8, 4, 2 and 1 of 15 turns,
/// spread evenly, and whoever leads leaves the rest of the turn to the others, so that no class starves.
/// </summary>
internal static class ClassOrder
{
    private const byte Alert = (byte)LaneClass.Alert;
    private const byte Event = (byte)LaneClass.Event;
    private const byte Metric = (byte)LaneClass.Metric;
    private const byte Bulk = (byte)LaneClass.Bulk;

    private static ReadOnlySpan<byte> Leaders =>
        [Alert, Event, Alert, Metric, Alert, Event, Alert, Bulk, Alert, Event, Alert, Metric, Alert, Event, Alert];

    /// <summary>The class that comes at <paramref name="place"/> (0-5) in a turn.</summary>
    public static int At(int turn, int place)
    {
        if (place < Alert)
        {
            return place;
        }

        int leader = Leaders[(int)((uint)turn % (uint)Leaders.Length)];
        var rest = place - 1;
        return place == Alert ? leader : rest < leader ? rest : place;
    }
}
