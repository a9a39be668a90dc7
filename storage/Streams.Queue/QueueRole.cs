namespace Streams.Queue;

/// <summary>Who connects. A role's subject permissions are set where nats-server is configured; here it names the inbox that the role
/// may use.</summary>
public enum QueueRole
{
    /// <summary>Publishes ingest messages and responses, keeps sessions, listens to flow, looks at commands.</summary>
    Gateway,

    /// <summary>Makes the topology, reads and purges ingest messages, publishes flow, keeps leases and offsets.</summary>
    Worker,

    /// <summary>Keeps identities, tokens and what fleet roots say, looks at sessions and streams.</summary>
    Operator,

    /// <summary>Keeps identities, tokens, operators and revocations, sends commands, reads responses, answers the gateways' registry requests.</summary>
    Services,
}
