namespace Streams.Control.Commands;

/// <summary>Where a command stands for one agent. Later ones are higher; the last six are ends.</summary>
public enum CommandState
{
    Queued = 1,
    Sent = 2,
    Received = 3,
    Started = 4,
    Finished = 10,
    Failed = 11,
    Expired = 12,
    Refused = 13,

    /// <summary>The agent ended between start and result: it may have been done or not, and is not done again.</summary>
    Unknown = 14,
}
