using Streams.Control.Identity;
using Streams.Gateway.Connections;
using Streams.Gateway.Records;
using Streams.Gateway.Routing;
using Streams.Gateway.Sessions;
using Streams.Queue;
using Streams.Schema;
using Streams.Wire;
using Streams.Wire.Crypto;
using Streams.Wire.Frames;
using Streams.Wire.Handshake;
using Streams.Wire.Keys;
using Streams.Wire.Messages;

namespace Streams.Gateway.Auth;

/// <summary>
/// Takes one connection from the upgrade to a session that has begun: M1, M2, M3, F0, `ready`. Until `ready` has confirmed the keys nothing outside this connection
/// changes: no older session is displaced, no credit given, nothing stored (handshake.md).
/// </summary>
internal sealed class HandshakeDriver(GatewayCore core, HandshakeSocket socket, FrameReceiver receiver, string remote)
{
    /// <summary>Every refusal leaves this long after M2 came, whatever it was refused for and however little that took.</summary>
    private const long RefusalMilliseconds = 25;

    private static readonly GatewayOffer WithEnrolment = new(Protocol.Versions, AllowsEnrolment: true);
    private static readonly GatewayOffer WithoutEnrolment = new(Protocol.Versions, AllowsEnrolment: false);

    private string _encoding = "bin";
    private string? _host;
    private long? _received;
    private AuthMessage? _auth;

    /// <summary>Who it claims to be; proved once there is a session.</summary>
    public string AgentId => _auth?.AgentId ?? "";

    /// <summary>Why there is no session now although the handshake was good, as a metric has it.</summary>
    public string Unavailable { get; private set; } = nameof(SessionEnd.Unavailable);

    /// <summary>What this gateway shows in this handshake, whatever it has later.</summary>
    public GatewayIdentity Gateway { get; } = core.Identity;

    /// <summary>The key that M2 named; proved once there is a session.</summary>
    public ReadOnlyMemory<byte> AgentKey { get; private set; }

    /// <summary>
    /// Completes when a refusal may leave: so long after the receipt of M2, however long judging took; without an M2, after now. Timers count the same whole
    /// milliseconds as the clock read here, so the answer's time says nothing about what came between.
    /// </summary>
    public Task RefusalTime()
    {
        var now = Environment.TickCount64;
        return Task.Delay(TimeSpan.FromMilliseconds(Math.Max(0, (_received ?? now) + RefusalMilliseconds - now)), core.Time);
    }

    /// <summary>M1, M2, M3. The keys are the caller's when the reason is None.</summary>
    public async Task<(RefusalReason Reason, SessionKeys? Keys)> AuthenticateAsync(HandshakeContext context)
    {
        _encoding = context.SelectedSubprotocol == Protocol.JsonSubprotocol ? "json" : "bin";
        if (core.Ephemerals.Take() is not { } ephemeral)
        {
            return (RefusalReason.Overloaded, null);
        }

        var reason = GatewayHandshake.TryStart(Gateway, context, core.Arena, ephemeral, out var handshake,
            core.Messages.Has(Wire.Channels.Registry) ? WithEnrolment : WithoutEnrolment);
        if (reason != RefusalReason.None)
        {
            return (reason, null);
        }

        using (handshake)
        {
            // One byte more than M2 may have shows that it is too large.
            var buffer = core.Buffers.Rent(Wire.Limits.MaxHandshakeMessageBytes + 1);
            try
            {
                return await ExchangeAsync(handshake!, buffer).ConfigureAwait(false);
            }
            finally
            {
                core.Buffers.Return(buffer);
            }
        }
    }

    /// <summary>F0 and `ready`, then the store's compare-and-set. The first result is why the handshake failed, the second why there is no session now.</summary>
    public async Task<(RefusalReason Reason, SessionEnd End)> ConfirmAsync(AgentSession session)
    {
        if (_auth!.Mode == SessionMode.Enrol)
        {
            return await ConfirmEnrolmentAsync(session).ConfigureAwait(false);
        }

        var partition = Subjects.PartitionOf(AgentId, core.Options.Partitions);
        var asked = core.AskWatermarksAsync(partition, AgentId);
        Entry<SessionRecord>? last;
        try
        {
            last = core.SessionRecords.TryGet(AgentId, out var known) ? known : await core.Store.GetAsync(AgentId).ConfigureAwait(false);
        }
        catch (QueueException)
        {
            await asked.ConfigureAwait(false);
            return (RefusalReason.None, SessionEnd.Unavailable);
        }

        // Without the worker's word the agent would send again what is committed, or worse, nothing would ever tell it to go back.
        if (await asked.ConfigureAwait(false) is not { } records || core.IsDraining)
        {
            return (RefusalReason.None, SessionEnd.Unavailable);
        }

        var generation = NextGeneration(last?.Value);
        session.Introduce(Introduction(session, records, generation));
        var (reason, ready) = await ReceiveReadyAsync(session, generation).ConfigureAwait(false);
        return reason != RefusalReason.None ? (reason, SessionEnd.None) : (reason, await ClaimAsync(session, ready!, last, generation).ConfigureAwait(false));
    }

    /// <summary>No agent yet, so no lanes, no generation and nothing in the store: F0 says so with zeros.</summary>
    private async Task<(RefusalReason Reason, SessionEnd End)> ConfirmEnrolmentAsync(AgentSession session)
    {
        session.Introduce(Introduction(session, [], generation: 0));
        var (reason, _) = await ReceiveReadyAsync(session, generation: 0).ConfigureAwait(false);
        if (reason != RefusalReason.None)
        {
            return (reason, SessionEnd.None);
        }

        if (core.TryBeginEnrolment(SourcePrefix.Of(remote)) is { } why)
        {
            Unavailable = why;
            return (RefusalReason.None, SessionEnd.Unavailable);
        }

        session.BeginEnrolment();
        return (RefusalReason.None, SessionEnd.None);
    }

    private async Task<(RefusalReason Reason, SessionKeys? Keys)> ExchangeAsync(GatewayHandshake handshake, byte[] buffer)
    {
        var length = handshake.WriteHello(core.UnixMicroseconds(), buffer);
        if (!await socket.TrySendAsync(buffer.AsMemory(0, length), MessageType.Request, "").ConfigureAwait(false))
        {
            return (RefusalReason.Disconnected, null);
        }

        length = await socket.ReceiveAsync(buffer.AsMemory(0, Wire.Limits.MaxHandshakeMessageBytes + 1)).ConfigureAwait(false);
        _received = Environment.TickCount64;
        if (length < 0)
        {
            return (length switch
            {
                HandshakeSocket.TooLarge => RefusalReason.TooLarge,
                HandshakeSocket.Malformed => RefusalReason.Malformed,
                _ => RefusalReason.Disconnected,
            }, null);
        }

        var reason = Judge(handshake, buffer.AsSpan(0, length));
        if (reason != RefusalReason.None)
        {
            return (reason, null);
        }

        reason = handshake.WriteAccept(buffer, out var keys);
        if (reason == RefusalReason.None && !await socket.TrySendAsync(buffer.AsMemory(0, GatewayHandshake.AcceptBytes), MessageType.Event, AgentId).ConfigureAwait(false))
        {
            keys!.Dispose();
            return (RefusalReason.Disconnected, null);
        }

        return (reason, keys);
    }

    private RefusalReason Judge(GatewayHandshake handshake, ReadOnlySpan<byte> message)
    {
        var reason = handshake.ReadAuth(message, out var auth);
        if (reason != RefusalReason.None)
        {
            return reason;
        }

        // Nobody signed the envelope's header.
        if (socket.AgentId is { } named && named != auth!.AgentId)
        {
            return RefusalReason.Malformed;
        }

        _auth = auth;
        AgentKey = auth!.PublicKey.ToArray();
        core.Metrics.SignatureChecked("handshake");
        if (auth.Mode == SessionMode.Enrol)
        {
            return handshake.VerifyEnrolment();
        }

        Span<byte> key = stackalloc byte[SigningKey.PublicKeySize];
        var length = core.Identities.Find(auth.AgentId, auth.PublicKey.Span, key, out _host);
        reason = handshake.Verify(key[..length]);
        // Zero is the epoch that no producer may use: every batch of it would be refused.
        return reason == RefusalReason.None && auth.Epoch == UInt128.Zero ? RefusalReason.Malformed : reason;
    }

    /// <summary>Above the session that lives here too: a store that was wiped knows nothing of it.</summary>
    private ulong NextGeneration(SessionRecord? last) =>
        Math.Max(SessionRecord.NextGeneration(last, core.Time.GetUtcNow()), (core.Registry.Find(AgentId)?.Route.Generation ?? 0) + 1);

    private SessionMessage Introduction(AgentSession session, IReadOnlyList<FlowRecord> records, ulong generation)
    {
        var watermarks = new List<LaneWatermark>(records.Count);
        foreach (var record in records)
        {
            if (record.Kind == FlowKind.Watermark && watermarks.Count < Wire.Limits.MaxWatermarks)
            {
                watermarks.Add(new LaneWatermark(LaneTable.ToNumber(record.Epoch), record.Lane, record.N));
                session.Lanes.Commit(record.Epoch, record.Lane, record.N, Environment.TickCount64);
            }
        }

        // They are in F0: no news until one moves.
        session.Lanes.ForgetNews();
        return new SessionMessage
        {
            Token = session.NewToken(),
            Generation = generation,
            Gateway = Gateway.Certificate.Name,
            CatalogueVersion = Catalogue.Version,
            CatalogueDigest = Catalogue.Digest.ToArray(),
            HeartbeatSeconds = core.Options.HeartbeatSeconds,
            SessionSeconds = core.Options.SessionSeconds,
            Watermarks = watermarks,
            Revocations = core.Statements.Revocations,
        };
    }

    private async Task<(RefusalReason Reason, ReadyMessage? Ready)> ReceiveReadyAsync(AgentSession session, ulong generation)
    {
        // Data cannot come yet: without an account every frame of it is above the credit.
        var message = await receiver.ReceiveAsync(session).ConfigureAwait(false);
        if (message.Receipt != Receipt.Frame)
        {
            if (message.Error != WireError.None)
            {
                session.Refused(message.Error, 0, message.Id, message.Field);
            }

            return (message.Receipt == Receipt.Closed ? RefusalReason.Disconnected : RefusalReason.NotConfirmed, null);
        }

        try
        {
            return session.Opener.Open(in message, out var opened) == FrameError.None
                && opened.Type == FrameType.Ready && ReadyMessage.TryRead(opened.Payload, out var ready) && ready!.Generation == generation
                ? (RefusalReason.None, ready)
                : (RefusalReason.NotConfirmed, null);
        }
        finally
        {
            core.Buffers.Return(message.Buffer);
        }
    }

    private async Task<SessionEnd> ClaimAsync(AgentSession session, ReadyMessage ready, Entry<SessionRecord>? last, ulong generation)
    {
        var route = AgentRoute.Create(AgentId, _host, ready.Host, core.Options.Partitions, generation, ready.CatalogueVersion);
        var (record, clone) = Record(last?.Value, route);
        try
        {
            // Lost to another gateway: the generation that F0 named is not ours, so the agent must come again.
            if (await core.Store.TryWriteAsync(AgentId, record, last?.Revision ?? 0).ConfigureAwait(false) is not { } revision)
            {
                core.SessionRecords.Forget(AgentId);
                return SessionEnd.Unavailable;
            }

            core.SessionRecords.Put(new Entry<SessionRecord>(AgentId, record, revision));
        }
        catch (QueueException)
        {
            return SessionEnd.Unavailable;
        }

        if (clone is not null)
        {
            core.Metrics.Clone(clone);
            core.Logger.CloneSeen(AgentId, remote, clone);
            core.Notices.Tell(session, AgentId, NoticeKind.Clone, clone);
        }

        var facts = new SessionFacts(remote, _encoding, ready.AgentVersion, _auth!.ConnectCounter, clone ?? "");
        if (!session.Begin(route, facts))
        {
            return session.Ended;
        }

        // Revoked between the look-up of the key and now, when the session was not to be found.
        core.EndIfRevoked(AgentId);
        if (core.Identities.IsNewKey(AgentId, session.AgentKey.Span))
        {
            core.Notices.Tell(session, AgentId, NoticeKind.NewKeyUsed, "");
        }

        core.Statements.TellTo(session);
        return SessionEnd.None;
    }

    private (SessionRecord Record, string? Clone) Record(SessionRecord? last, AgentRoute route)
    {
        var now = core.Time.GetUtcNow();
        var epoch = _auth!.Epoch.ToString("x32");
        var boot = _auth.BootId == 0 ? "" : _auth.BootId.ToString("x32");
        var clone = CloneSign.Of(last, epoch, boot, _auth.ConnectCounter);
        return (
            new SessionRecord(
                route.Generation,
                Gateway.Certificate.Name,
                epoch,
                now,
                route.Host,
                remote,
                (last?.Sessions ?? 0) + 1,
                _auth.ConnectCounter,
                last is null ? "" : last.Epoch == epoch ? last.EpochBefore : last.Epoch,
                (last?.Clones ?? 0) + (clone is null ? 0UL : 1),
                clone is null ? last?.CloneSeenAt : now,
                boot.Length > 0 ? boot : last?.Boot ?? "",
                boot.Length == 0 || boot == last?.Boot ? last?.BootBefore ?? "" : last?.Boot ?? ""),
            clone);
    }
}
