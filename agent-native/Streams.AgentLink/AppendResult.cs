namespace Streams.AgentLink;

/// <summary>What became of a batch that was offered to the link.</summary>
public enum AppendResult
{
    /// <summary>Named, sealed and kept until it is committed.</summary>
    Appended,

    /// <summary>The retention is full: pause, then offer the same rows again (<see cref="AgentLink.WaitForSpace"/>).</summary>
    Full,

    /// <summary>The sealed batch would be larger than a batch may be: split the rows and offer the parts.</summary>
    TooLarge,
}
