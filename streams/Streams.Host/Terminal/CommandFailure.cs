namespace Streams.Host.Terminal;

/// <summary>A command could not do what was asked; the message says what is wrong and how to mend it, in one line.</summary>
internal sealed class CommandFailure(string message, int exitCode = 1) : Exception(message)
{
    /// <summary>1: the command failed; 2: the command line or a setting is wrong.</summary>
    public int ExitCode { get; } = exitCode;
}
