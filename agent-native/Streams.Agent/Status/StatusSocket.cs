namespace Streams.Agent.Status;

/// <summary>Where a running agent answers `streams-agent status`.</summary>
internal static class StatusSocket
{
    /// <summary>Length of sun_path in sockaddr_un, with its terminating NUL.</summary>
    private const int LongestPath = 107;

    /// <exception cref="AgentException">The path is longer than a unix socket's may be.</exception>
    public static string PathIn(string stateDirectory)
    {
        var path = Path.Combine(stateDirectory, "agent.sock");
        return System.Text.Encoding.UTF8.GetByteCount(path) <= LongestPath
            ? path
            : throw new AgentException($"state_directory {stateDirectory} is too long for a unix socket ({LongestPath} bytes with agent.sock); name a shorter one");
    }
}
