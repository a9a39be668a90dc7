namespace Streams.Agent;

/// <summary>A failure the user can mend. The message is the one line "what; how to mend" that the program prints before it exits with 1.</summary>
internal class AgentException : Exception
{
    public AgentException(string message)
        : base(message)
    {
    }

    public AgentException(string message, Exception cause)
        : base(message, cause)
    {
    }
}
