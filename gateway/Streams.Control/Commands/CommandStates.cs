namespace Streams.Control.Commands;

/// <summary>What follows from a state.</summary>
public static class CommandStates
{
    /// <summary>As it is stored, shown and signed.</summary>
    public static string Name(this CommandState state) => state.ToString().ToLowerInvariant();

    public static bool IsEnd(this CommandState state) => state >= CommandState.Finished;

    /// <summary>True when a command in the first state may go to the second: only forward, and an end is for ever, except that an answer is
    /// believed over an expiry that was only assumed.</summary>
    public static bool MayBecome(this CommandState from, CommandState to) =>
        from.IsEnd() ? from == CommandState.Expired && to is CommandState.Finished or CommandState.Failed or CommandState.Unknown : to > from;
}
