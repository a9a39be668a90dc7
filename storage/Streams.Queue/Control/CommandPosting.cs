namespace Streams.Queue;

/// <summary>What became of a command that was put into an agent's queue.</summary>
/// <param name="Outcome">Whether it waits there now.</param>
/// <param name="Sequence">Its place; 0 unless stored.</param>
public readonly record struct CommandPosting(CommandPostOutcome Outcome, ulong Sequence = 0);

/// <summary>Outcomes of <see cref="CommandMailbox.PostAsync"/>.</summary>
public enum CommandPostOutcome : byte
{
    /// <summary>It is on the disk of the queue.</summary>
    Stored,

    /// <summary>As many wait for this agent as may.</summary>
    AgentFull,

    /// <summary>The stream has no room for anybody's.</summary>
    QueueFull,
}
