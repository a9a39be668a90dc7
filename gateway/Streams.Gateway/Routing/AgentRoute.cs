using Streams.Queue;

namespace Streams.Gateway.Routing;

/// <summary>Where a session's data goes, and what every message of it says.</summary>
/// <param name="AgentId">Authenticated.</param>
/// <param name="Host">From the agent's identity; the agent's own claim where the identity names none. Fit for a header.</param>
/// <param name="Partition">Which ingest partition, and by it which graph.</param>
/// <param name="Generation">Of the session.</param>
/// <param name="Catalogue">Version of the agent's catalogue.</param>
internal sealed record AgentRoute(string AgentId, string Host, int Partition, ulong Generation, ushort Catalogue)
{
    public static AgentRoute Create(string agentId, string? enrolledHost, string claimedHost, int partitions, ulong generation, ushort catalogue) =>
        new(agentId, Fit(string.IsNullOrEmpty(enrolledHost) ? claimedHost : enrolledHost), Subjects.PartitionOf(agentId, partitions), generation, catalogue);

    /// <summary>What a header cannot carry becomes '?': the name is shown to people, it identifies nobody.</summary>
    private static string Fit(string host)
    {
        if (MessageHeaders.IsHost(host))
        {
            return host;
        }

        var length = Math.Min(host.Length, MessageHeaders.MaxHost);
        return string.Create(length, host, static (fitted, text) =>
        {
            for (var i = 0; i < fitted.Length; i++)
            {
                fitted[i] = text[i] is >= '!' and <= '~' ? text[i] : '?';
            }
        });
    }
}
