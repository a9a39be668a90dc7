using Streams.Wire.Messages;

namespace Streams.AgentLink;

/// <summary>What a link asks of the program around it. All are called from the link's own tasks, never at the same time as
/// themselves.</summary>
public sealed record AgentLinkHooks
{
    /// <summary>Gives the next connect counter and makes it durable before it returns (<see cref="Connect.ConnectCounterFile"/>).</summary>
    public required Func<ulong> NextConnectCounter { get; init; }

    /// <summary>The state for the next heartbeat; the link fills sent_at, retained bytes and lanes. Null = an empty one.</summary>
    public Func<HeartbeatMessage>? Heartbeat { get; init; }

    /// <summary>Told of every change, for the log. Must be quick and must not throw.</summary>
    public Action<LinkEvent>? OnEvent { get; init; }
}
