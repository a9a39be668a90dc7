using Microsoft.Extensions.Logging;
using Streams.Gateway.Auth;
using Streams.Gateway.Connections;
using Streams.Gateway.Credit;
using Streams.Gateway.Heartbeat;
using Streams.Gateway.Ingest;
using Streams.Gateway.Queueing;
using Streams.Gateway.Records;
using Streams.Gateway.Registration;
using Streams.Gateway.Routing;
using Streams.Gateway.Sessions;
using Streams.Queue;
using Streams.Wire.Handshake;
using Streams.Wire.Keys;

namespace Streams.Gateway;

/// <summary>What all connections of a gateway process share. Built by <see cref="GatewayServer"/>, which owns all of it.</summary>
internal sealed class GatewayCore
{
    /// <summary>Sessions of mode enrol at once: an image that scales out enrols in milliseconds each.</summary>
    private const int MaxEnrolments = 256;

    /// <summary>Of them, one source's: whoever has any key may have one for 10 s, and 32 addresses are to be needed to have them all.</summary>
    private const int MaxSourceEnrolments = 8;

    private readonly SourcePlaces _enrolling = new(MaxSourceEnrolments);
    private int _draining;
    private int _drained;
    private int _enrolments;

    public required GatewayOptions Options { get; init; }

    public required GatewayKeys Keys { get; init; }

    /// <summary>What the next handshake shows.</summary>
    public GatewayIdentity Identity => Keys.Current;

    public required GatewayMetrics Metrics { get; init; }

    public required ILogger Logger { get; init; }

    /// <summary>What peers without a session make it say.</summary>
    public required PeerLog StrangerLog { get; init; }

    /// <summary>What peers with a session make it say: apart, so that strangers do not silence it.</summary>
    public required PeerLog SessionLog { get; init; }

    public required TimeProvider Time { get; init; }

    public required KeyArena Arena { get; init; }

    public required EphemeralSupply Ephemerals { get; init; }

    public required CreditPool Pool { get; init; }

    public required FrameBuffers Buffers { get; init; }

    public required FrameContext Frames { get; init; }

    public required Identities Identities { get; init; }

    public required FleetStatements Statements { get; init; }

    public required RegistryNotices Notices { get; init; }

    public required SessionStore Store { get; init; }

    public required FlowSubscriber Flow { get; init; }

    public required SharedWheel Wheel { get; init; }

    public required IReadOnlyList<IngestGraph> Graphs { get; init; }

    public required AgentRates Rates { get; init; }

    public required SessionTokens Tokens { get; init; }

    /// <summary>What is said as rows.</summary>
    public required GatewayRecords Records { get; init; }

    public SessionRegistry Registry { get; } = new();

    public SessionRecords SessionRecords { get; } = new();

    /// <summary>An identity was changed: the living session of an agent that is let in no more ends.</summary>
    public void IdentityChanged(string agentId)
    {
        if (!EndIfRevoked(agentId))
        {
            // A quarantine may be over.
            Registry.Find(agentId)?.Commands?.Look();
        }
    }

    /// <summary>Ends the living session of an agent that is let in no more, if there is one.</summary>
    public bool EndIfRevoked(string agentId)
    {
        if (Registry.Find(agentId) is not { } session || Identities.IsGood(agentId, session.AgentKey.Span))
        {
            return false;
        }

        session.End(SessionEnd.Revoked);
        return true;
    }

    /// <summary>Commands to agents; set before the gateway listens.</summary>
    public AgentCommands? Commands { get; set; }

    /// <summary>What is behind the channels of control messages.</summary>
    public MessageRouter Messages { get; } = new();

    /// <summary>No session is admitted any more.</summary>
    public bool IsDraining => Volatile.Read(ref _draining) != 0;

    /// <summary>Begins to drain; false when it did before.</summary>
    public bool TryDrain()
    {
        // How many have to go is counted once: the last of them are to be spread as the first.
        Interlocked.CompareExchange(ref _drained, Registry.Count, 0);
        return Interlocked.Exchange(ref _draining, 1) == 0;
    }

    /// <summary>Takes a place for a session of mode enrol; null, or why there is none. Anybody with a key may have one, so they are few; each lives for seconds.</summary>
    public string? TryBeginEnrolment(SourcePrefix source)
    {
        if (IsDraining)
        {
            return "draining";
        }

        if (!_enrolling.TryEnter(source))
        {
            return "source_enrolments";
        }

        if (Interlocked.Increment(ref _enrolments) <= MaxEnrolments)
        {
            return null;
        }

        EnrolmentEnded(source);
        return "enrolments";
    }

    public void EnrolmentEnded(SourcePrefix source)
    {
        Interlocked.Decrement(ref _enrolments);
        _enrolling.Leave(source);
    }

    public IngestGraph GraphOf(int partition) => Graphs[partition % Graphs.Count];

    public long UnixMicroseconds() => (Time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    /// <summary>Where the agent's lanes stand, or null when the worker does not say in time.</summary>
    public Task<IReadOnlyList<FlowRecord>?> AskWatermarksAsync(int partition, string agentId) =>
        Flow.AskAsync(partition, agentId, Options.WatermarkTimeout);

    /// <summary>When an agent that is sent away may come back, ms: spread, one second per hundred sessions, so that the others are not stormed.</summary>
    public uint DrainDelay() => (uint)Random.Shared.Next(500, 1000 + (_drained * 10));
}
