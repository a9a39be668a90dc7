using System.Globalization;
using System.Text;

namespace Streams.Queue;

/// <summary>Names of streams and subjects, and the partition of an agent. All of them are stored data or permissions elsewhere: they
/// never change.</summary>
public static class Subjects
{
    private const string ServerPrefix = "server.";

    /// <summary>Largest P: beyond it streams and permissions would be the cost, not the data.</summary>
    public const int MaxPartitions = 256;

    /// <summary>Stream of a partition.</summary>
    public static string Stream(int partition) => string.Create(CultureInfo.InvariantCulture, $"INGEST_{partition}");

    /// <summary>What the partition's stream listens to: agents' rows, and those of the server's roles.</summary>
    public static IReadOnlyList<string> AllOf(int partition) =>
    [
        string.Create(CultureInfo.InvariantCulture, $"ingest.{partition}.*"),
        string.Create(CultureInfo.InvariantCulture, $"{ServerPrefix}*.{partition}.*"),
    ];

    /// <summary>
    /// One subject per producer and partition (24: the server keeps state per subject): <c>ingest.P.AGENT</c>, and for a server's own
    /// producer <c>_ROLE-NAME</c> <c>server.ROLE.P._ROLE-NAME</c>, to which only that role may publish.
    /// </summary>
    public static string Ingest(int partition, string producer) => IsServer(producer)
        ? string.Create(CultureInfo.InvariantCulture, $"{ServerPrefix}{RoleOf(producer)}.{partition}.{producer}")
        : string.Create(CultureInfo.InvariantCulture, $"ingest.{partition}.{producer}");

    public static string Flow(int partition) => string.Create(CultureInfo.InvariantCulture, $"flow.{partition}");

    /// <summary>Commands to one agent, kept until it has them.</summary>
    public static string Command(string agentId) => "command." + agentId;

    /// <summary>What one agent answered, kept until the services role has it.</summary>
    public static string Response(string agentId) => "response." + agentId;

    /// <summary>Said by the services role when there is a new command: not kept, a gateway that missed it looks by itself.</summary>
    public static string Nudge(string agentId) => "nudge." + agentId;

    /// <summary>What gateways ask the services role's registry for: <c>enroll</c>, <c>rotate</c>.</summary>
    public static string Registry(string action) => "service.registry." + action;

    public static string Watermarks(int partition) => string.Create(CultureInfo.InvariantCulture, $"watermarks.{partition}");

    /// <summary>FNV-1a, 64 bits, of the UTF-8 agent id, modulo P.</summary>
    public static int PartitionOf(string agentId, int partitions)
    {
        Span<byte> utf8 = stackalloc byte[256];
        if (!Encoding.UTF8.TryGetBytes(agentId, utf8, out var length))
            throw new ArgumentException("An agent id has at most 63 characters.", nameof(agentId));
        var hash = 14695981039346656037UL;
        foreach (var value in utf8[..length])
            hash = (hash ^ value) * 1099511628211UL;
        return (int)(hash % (uint)partitions);
    }

    /// <summary>
    /// <c>[a-z0-9][a-z0-9-]{0,62}</c>, or the same after an underscore for the server's own producers. No dot, blank, * or &gt;: the id
    /// is a token of a subject and a key.
    /// </summary>
    public static bool IsAgentId(ReadOnlySpan<char> id)
    {
        if (id.Length > 0 && id[0] == '_')
            id = id[1..];
        if (id.Length is 0 or > 63 || id[0] == '-')
            return false;
        foreach (var character in id)
        {
            if (character is not ((>= 'a' and <= 'z') or (>= '0' and <= '9') or '-'))
                return false;
        }

        return true;
    }

    /// <summary>The producer that an ingest subject names; empty when it may not be named there: permissions are by subject, so that the
    /// subject says which role published.</summary>
    internal static ReadOnlySpan<char> ProducerOf(ReadOnlySpan<char> ingestSubject)
    {
        var producer = AgentOf(ingestSubject);
        if (!ingestSubject.StartsWith(ServerPrefix, StringComparison.Ordinal))
            return IsServer(producer) ? default : producer;
        var role = ingestSubject[ServerPrefix.Length..];
        role = role[..role.IndexOf('.')];
        return IsServer(producer) && RoleOf(producer).SequenceEqual(role) ? producer : default;
    }

    private static bool IsServer(ReadOnlySpan<char> producer) => producer.Length > 0 && producer[0] == '_';

    private static ReadOnlySpan<char> RoleOf(ReadOnlySpan<char> producer)
    {
        var hyphen = producer.IndexOf('-');
        return hyphen < 0 ? producer[1..] : producer[1..hyphen];
    }

    internal static ReadOnlySpan<char> AgentOf(ReadOnlySpan<char> ingestSubject) => ingestSubject[(ingestSubject.LastIndexOf('.') + 1)..];
}
