namespace Streams.Queue;

/// <summary>Who connects. A role's subject permissions are set where nats-server is configured; here it names the inbox that the role
/// may use.</summary>
public enum QueueRole
{
    /// <summary>Publishes ingest messages, keeps sessions, listens to flow.</summary>
    Gateway,

    /// <summary>Makes the topology, reads and purges ingest messages, publishes flow, keeps leases and offsets.</summary>
    Worker,

    /// <summary>Keeps identities, looks at sessions and streams.</summary>
    Operator,
}
