using System.Net.WebSockets;
using Streams.Gateway.Connections;
using Streams.Gateway.Credit;
using Streams.Gateway.Encryption;
using Streams.Gateway.Heartbeat;
using Streams.Gateway.Ingest;
using Streams.Gateway.Queueing;
using Streams.Gateway.Records;
using Streams.Gateway.Routing;
using Streams.Wire;
using Streams.Wire.Frames;
using Streams.Wire.Keys;
using Streams.Wire.Messages;

namespace Streams.Gateway.Sessions;

/// <summary>
/// One agent's session: from the keys of the handshake, over the agent's `ready`, to the first reason that ends it. Frames that are not data are handled in the
/// connection's loop and here; data go to the ingest graph of the agent's partition. Threads: the loop, the graph, the wheel, the flow listener and the sender
/// meet here, so what they share is guarded by its owner (pool, opener, lanes, outbound queue) or written atomically.
/// </summary>
internal sealed partial class AgentSession : ICreditHolder, IFrameOwner, IFrameSource, IFramePermit, IRefusalSink
{
    private readonly GatewayCore _core;
    private readonly FrameSender _sender;
    private readonly SessionPeer _peer;
    private readonly byte[] _sessionId;
    private CreditAccount? _account;
    private AgentRoute? _route;
    private SessionFacts? _facts;
    private HeartbeatMonitor _heartbeat;
    private long _agentClock;
    private int _ended;
    private int _asking;
    private long _askAfter;
    private int _questions;
    private long _enrolmentEnds;

    /// <summary>Takes the keys over.</summary>
    public AgentSession(GatewayCore core, WebSocket socket, SessionKeys keys, SessionPeer peer)
    {
        _core = core;
        _peer = peer;
        _sessionId = keys.SessionId.ToArray();
        Id = Convert.ToHexStringLower(_sessionId);
        Opener = new SessionOpener(CreateOpener(keys));
        _sender = new FrameSender(socket, CreateSealer(keys), core.Buffers, core.Metrics, this);
        Rate = new AgentRate(core.Options, Environment.TickCount64);
    }

    /// <summary>For logs; both ends know it.</summary>
    public string Id { get; }

    public SessionOpener Opener { get; }

    public LaneTable Lanes { get; } = new();

    /// <summary>Valid once the agent is ready.</summary>
    public AgentRoute Route => _route ?? throw new InvalidOperationException("the session has not begun");

    public bool HasBegun => _route is not null;

    public SessionEnd Ended => (SessionEnd)Volatile.Read(ref _ended);

    public long SendStarted => _sender.SendStarted;

    /// <summary>Commands for the agent, once the session has begun.</summary>
    public CommandQueue? Commands { get; private set; }

    /// <summary>When the close began, <see cref="Environment.TickCount64"/>; 0 while the session lives.</summary>
    public long EndedAt { get; private set; }

    /// <summary>Sends the session's first frame.</summary>
    public void Introduce(SessionMessage session)
    {
        var payload = new byte[session.Length];
        _sender.TrySend(FrameType.Session, payload.AsMemory(0, session.Write(payload)));
    }

    /// <summary>
    /// The agent has confirmed the keys and the store has given the generation: credit, heartbeats and data begin. False when the session ended before it
    /// could begin, e.g. by the deadline while the store was slow: then it holds nothing.
    /// </summary>
    public bool Begin(AgentRoute route, SessionFacts facts)
    {
        var account = _core.Pool.Open(this, route.Partition);
        // The exchange orders this write before the look at the end, as End's orders its own before the look at the account: one of the two closes it.
        Interlocked.Exchange(ref _account, account);
        if (Ended != SessionEnd.None)
        {
            _core.Pool.Close(account);
            return false;
        }

        _heartbeat = new HeartbeatMonitor(Environment.TickCount64, _core.Options.HeartbeatSeconds, _core.Options.SessionSeconds);
        _route = route;
        _facts = facts;
        _core.Metrics.SessionOpened();
        _core.Records.Began(route, facts);
        _sender.Raise(FrameType.Credit);
        _core.Registry.Add(this);
        if (_core.IsDraining)
        {
            // It came between the goodbye to all and this.
            End(SessionEnd.Draining);
        }

        if (_core.Commands is { } commands)
        {
            Commands = commands.Open(this);
            commands.Begun(Commands);
        }

        return true;
    }

    /// <summary>The peer of a handshake of mode enrol has confirmed the keys: it may talk to the registry until the time is over.</summary>
    public void BeginEnrolment()
    {
        IsEnrolling = true;
        Rate = AgentRate.OfStranger(Environment.TickCount64);
        _enrolmentEnds = Environment.TickCount64 + (Limits.EnrolSeconds * 1000L);
    }

    public void End(SessionEnd end)
    {
        if (end == SessionEnd.None || Interlocked.CompareExchange(ref _ended, (int)end, 0) != 0)
        {
            return;
        }

        EndedAt = Environment.TickCount64;
        if (Volatile.Read(ref _account) is { } account)
        {
            _core.Pool.Close(account);
        }

        _sender.Close(end.Goodbye() is not null, end.Code());
    }

    /// <summary>Hands a received data message to its graph.</summary>
    public void Post(in ReceivedMessage message)
    {
        _core.Metrics.Received(message.LaneClass, message.Length);
        var frame = new IngestFrame(
            _core.Frames, this, message.Buffer, message.Length, message.LaneClass, _core.UnixMicroseconds(), message.Envelope);
        Opener.Append(frame);
        if (!_core.GraphOf(Route.Partition).TryPost(frame))
        {
            End(SessionEnd.GraphFailed);
            frame.Settle(FrameFate.GraphFailed);
        }
    }

    public bool TrySpend(LaneClass laneClass, int bytes) => _account is { } account && _core.Pool.TrySpend(account, laneClass, bytes);

    public bool Covers(int bytes) => _account is { } account && _core.Pool.Covers(account, bytes);

    public void Refund(int bytes) => _core.Pool.Return(bytes);

    public void Want(ReadOnlySpan<ClassWant> wants)
    {
        for (var c = 0; c < wants.Length; c++)
        {
            // No next frame: whatever is said to wait, nothing can be sent of it.
            var next = (int)wants[c].NextFrameBytes;
            _core.Pool.Want(_account!, (LaneClass)c, next == 0 ? 0 : wants[c].QueuedBytes, next);
        }
    }

    public void HeartbeatHeard(HeartbeatMessage heartbeat)
    {
        _heartbeat.Heard(Environment.TickCount64);
        // The agent's clock against ours, as its heartbeat arrived: the echo can leave out how long we kept it.
        Volatile.Write(ref _agentClock, unchecked((long)heartbeat.SentAt - _core.UnixMicroseconds()));
    }

    /// <summary>The wheel's look at a session that has begun and lives.</summary>
    public void Tick(long now)
    {
        if (IsEnrolling)
        {
            End(_core.IsDraining ? SessionEnd.Draining : now >= _enrolmentEnds ? SessionEnd.Expired : SessionEnd.None);
        }
        else if (_heartbeat.IsLost(now))
        {
            End(SessionEnd.HeartbeatLost);
        }
        else if (_heartbeat.IsExpired(now))
        {
            End(SessionEnd.Expired);
        }
        else if (_heartbeat.IsDue(now))
        {
            BeginHeartbeat();
        }
        else
        {
            TellWatermarks(now);
            TellOrders();
            AskWhenInDoubt(now);
            RefreshToken(now);
        }
    }

    void ICreditHolder.CreditGranted() => _sender.Raise(FrameType.Credit);

    void IFrameSource.SendFailed(Exception fault)
    {
        _core.Metrics.Error("sender");
        _core.Logger.SenderFault(Id, fault);
        End(SessionEnd.Internal);
    }

    /// <summary>Gives everything back once the connection's loop is over.</summary>
    public async Task CloseAsync()
    {
        End(SessionEnd.Disconnected);
        await _sender.Ended.ConfigureAwait(false);
        if (HasBegun)
        {
            _core.Registry.Remove(this);
            _core.Metrics.SessionEnded(Ended);
            _core.Records.Ended(Route, _facts!, Ended);
        }

        Opener.Dispose();
        _sender.Dispose();
    }
}
