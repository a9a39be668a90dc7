namespace Streams.Schema;

/// <summary>
/// What server processes say; they are producers like agents, under the id <c>_ROLE-NAME</c>. All of one priority class, so that a
/// producer has one lane, in which order between them holds.
/// </summary>
public static class ServerClasses
{
    public static EventClass SystemAlert { get; } = Declare(
        48, "system_alert", 2,
        "What a person must look at; each is a log event and a counter too.",
        new Column(16, "kind", ColumnType.Dictionary, "stable name, for example dead_letter"),
        new Column(17, "subject", ColumnType.String, "what it is about: an agent, a lane, a table"),
        new Column(18, "detail", ColumnType.String, "one line"));

    public static EventClass AuthFailure { get; } = Declare(
        49, "auth_failure", 3,
        "Connections that were refused before they were a session, counted over a few seconds. source is a prefix; claimed_agent is not proved.",
        new Column(16, "source", ColumnType.IPv6, "where from: /56 of an IPv6 address, an IPv4 address mapped; :: for all that had no row of their own"),
        new Column(17, "claimed_agent", ColumnType.String, "the agent that it said it was; empty when it said none"),
        new Column(18, "reason", ColumnType.Dictionary, "why it was refused; the peer is never told"),
        new Column(19, "count", ColumnType.UInt32, "how many"),
        new Column(20, "gateway", ColumnType.Dictionary, "name of the gateway"));

    public static EventClass AgentSession { get; } = Declare(
        50, "agent_session", 3,
        "A session of an agent began or ended.",
        new Column(16, "agent", ColumnType.String, "the agent"),
        new Column(17, "gateway", ColumnType.Dictionary, "name of the gateway that holds it"),
        new Column(18, "event", ColumnType.Dictionary, "begin or end"),
        new Column(19, "reason", ColumnType.Dictionary, "why it ended; empty at its begin"),
        new Column(20, "generation", ColumnType.UInt64, "generation of the session: the higher one is the newer"),
        new Column(21, "source", ColumnType.IPv6, "address of the peer, IPv4 mapped"),
        new Column(22, "encoding", ColumnType.Dictionary, "bin or json"),
        new Column(23, "tls", ColumnType.Bool, "whether the connection was TLS"),
        new Column(24, "agent_version", ColumnType.Dictionary, "version that the agent named"),
        new Column(25, "connect_counter", ColumnType.UInt64, "the agent's own count of its connections"),
        new Column(26, "clone", ColumnType.Dictionary, "the sign that there are two of this agent; empty without one"));

    public static EventClass AgentIdentity { get; } = Declare(
        51, "agent_identity", 3,
        "Who is let in was changed. The newest row of an agent is its identity: the queue's bucket can be made from them again.",
        new Column(16, "agent", ColumnType.String, "the agent"),
        new Column(17, "action", ColumnType.Dictionary, "enrolled, put, rotated, revoked, quarantined, released, moved (to a host of another name) or restored"),
        new Column(18, "public_key", ColumnType.String, "the agent's Ed25519 public key after it, base64url"),
        new Column(19, "agent_host", ColumnType.String, "host name of the agent"),
        new Column(20, "serial", ColumnType.UInt64, "serial of the identity, one more with each change"),
        new Column(21, "token_id", ColumnType.String, "enrolment token that was used; empty without one"),
        new Column(22, "actor", ColumnType.String, "who did it: an operator, or the agent itself"),
        new Column(23, "source", ColumnType.IPv6, "where from, IPv4 mapped; :: when it was no connection"));

    public static EventClass Command { get; } = Declare(
        52, "command", 3,
        "A command to an agent went from one state to the next.",
        new Column(16, "command_id", ColumnType.String, "the command"),
        new Column(17, "agent", ColumnType.String, "the agent that it is for"),
        new Column(18, "kind", ColumnType.Dictionary, "what is to be done, for example status"),
        new Column(19, "state", ColumnType.Dictionary, "queued, sent, received, started, finished, failed, expired or refused"),
        new Column(20, "actor", ColumnType.String, "who gave it"),
        new Column(21, "deadline", ColumnType.UInt64, "until when it may begin, microseconds since 1970"),
        new Column(22, "digest", ColumnType.String, "SHA-256 of the command document, hexadecimal"),
        new Column(23, "detail", ColumnType.String, "why it failed or was refused, or what it gave"));

    public static EventClass Audit { get; } = Declare(
        53, "audit", 3,
        "What an operator did, or was refused.",
        new Column(16, "actor", ColumnType.String, "name of the operator's token"),
        new Column(17, "role", ColumnType.Dictionary, "viewer, operator or admin"),
        new Column(18, "action", ColumnType.Dictionary, "what was done, for example command.create"),
        new Column(19, "object", ColumnType.String, "what it was done to: an agent, a token"),
        new Column(20, "outcome", ColumnType.Dictionary, "ok, or why not"),
        new Column(21, "source", ColumnType.IPv6, "where from, IPv4 mapped"),
        new Column(22, "detail", ColumnType.String, "one line"));

    /// <summary>Whether rows of the class may come from this producer: an agent says none of these, <c>_ROLE-NAME</c> those of its role and no other class.</summary>
    public static bool MayProduce(ReadOnlySpan<char> producer, EventClass eventClass)
    {
        ArgumentNullException.ThrowIfNull(eventClass);
        if (producer.Length == 0 || producer[0] != '_')
        {
            return eventClass.Producer != EventProducer.Server;
        }

        var gateway = producer.StartsWith("_gateway-", StringComparison.Ordinal);
        var services = producer.StartsWith("_services-", StringComparison.Ordinal);
        return eventClass == SystemAlert ? gateway || services || producer.StartsWith("_worker-", StringComparison.Ordinal)
            : eventClass == AuthFailure || eventClass == AgentSession ? gateway
            : eventClass.Producer == EventProducer.Server && services;
    }

    private static EventClass Declare(ushort id, string name, ushort catalogue, string description, params ReadOnlySpan<Column> columns) =>
        new(id, name, 1, PriorityClass.Alert, "server", EventProducer.Server, description, columns) { Catalogues = [catalogue] };
}
