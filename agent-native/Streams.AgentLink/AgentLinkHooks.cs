using Streams.Wire;
using Streams.Wire.Handshake;
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

    /// <summary>
    /// Takes a control message of the gateway, whose signature was verified, or says why not, which the gateway is told. Must be quick and must not throw. Null: none
    /// is taken.
    /// </summary>
    public Func<ControlMessage, WireError>? OnMessage { get; init; }

    /// <summary>The gateway did not take a message.</summary>
    public Action<ErrorMessage>? OnRefused { get; init; }

    /// <summary>The key to come with, asked before every handshake; null: always the one that the link was made with. The id stays the same.</summary>
    public Func<AgentIdentity>? Identity { get; init; }

    /// <summary>The roots to pin, asked before every handshake; null: those of the options.</summary>
    public Func<FleetRoots>? Roots { get; init; }

    /// <summary>The gateways that are known to be revoked, asked before every handshake; null knows of none.</summary>
    public Func<RevocationList?>? Revoked { get; init; }

    /// <summary>Told of every list of revoked gateways that a pinned root has signed; keeps the one of the highest version. An
    /// <see cref="IOException"/> of it ends the attempt: what a root revoked must not be forgotten.</summary>
    public Action<RevocationList>? OnRevocations { get; init; }

    /// <summary>Told of every change, for the log. Must be quick and must not throw.</summary>
    public Action<LinkEvent>? OnEvent { get; init; }
}
