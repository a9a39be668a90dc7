using System.Buffers;
using System.Net.WebSockets;
using Streams.Gateway.Connections;
using Streams.Gateway.Credit;
using Streams.Gateway.Encryption;
using Streams.Gateway.Heartbeat;
using Streams.Gateway.Ingest;
using Streams.Gateway.Routing;
using Streams.Queue;
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
internal sealed class AgentSession : ICreditHolder, IFrameOwner, IFrameSource, IFramePermit
{
    private readonly GatewayCore _core;
    private readonly FrameSender _sender;
    private CreditAccount? _account;
    private AgentRoute? _route;
    private HeartbeatMonitor _heartbeat;
    private long _agentClock;
    private int _ended;
    private int _asking;

    /// <summary>Takes the keys over.</summary>
    public AgentSession(GatewayCore core, WebSocket socket, SessionKeys keys)
    {
        _core = core;
        Id = Convert.ToHexStringLower(keys.SessionId);
        Opener = new SessionOpener(new FrameOpener(keys, fromAgent: true));
        _sender = new FrameSender(socket, new FrameSealer(keys, core.Time), core.Buffers, core.Metrics, this);
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
    public bool Begin(AgentRoute route)
    {
        var account = _core.Pool.Open(this);
        // The exchange orders this write before the look at the end, as End's orders its own before the look at the account: one of the two closes it.
        Interlocked.Exchange(ref _account, account);
        if (Ended != SessionEnd.None)
        {
            _core.Pool.Close(account);
            return false;
        }

        _heartbeat = new HeartbeatMonitor(Environment.TickCount64, _core.Options.HeartbeatSeconds, _core.Options.SessionSeconds);
        _route = route;
        _core.Metrics.SessionOpened();
        _sender.Raise(FrameType.Credit);
        _core.Registry.Add(this);
        return true;
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

    /// <summary>Hands a received data frame to its graph.</summary>
    public void Post(byte[] buffer, in FrameHeader header)
    {
        var length = header.Length + FrameHeader.Overhead;
        _core.Metrics.Received(header.LaneClass, length);
        var frame = new IngestFrame(_core.Frames, this, buffer, length, header.LaneClass, _core.UnixMicroseconds());
        Opener.Append(frame);
        if (!_core.GraphOf(Route.Partition).TryPost(frame))
        {
            End(SessionEnd.GraphFailed);
            frame.Settle(FrameFate.GraphFailed);
        }
    }

    public bool TrySpend(LaneClass laneClass, int bytes) => _account is { } account && _core.Pool.TrySpend(account, laneClass, bytes);

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

    /// <summary>The worker spoke of one of this agent's lanes.</summary>
    public void Flow(in FlowRecord record)
    {
        if (record.Kind == FlowKind.Rewind)
        {
            _core.Metrics.Rewind();
            End(SessionEnd.Resend);
            return;
        }

        Lanes.Commit(record.Epoch, record.Lane, record.N);
        TellWatermarks(Environment.TickCount64);
    }

    /// <summary>The wheel's look at a session that has begun and lives.</summary>
    public void Tick(long now)
    {
        if (_heartbeat.IsLost(now))
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
        }
    }

    void ICreditHolder.CreditGranted() => _sender.Raise(FrameType.Credit);

    int IFrameSource.MaxPayload(FrameType state) => state switch
    {
        FrameType.Credit => CreditMessage.Length,
        FrameType.Goodbye => GoodbyeMessage.Length,
        FrameType.Watermark => WatermarkMessage.GetLength(Lanes.Count),
        _ => GatewayHeartbeatMessage.GetLength(Lanes.Count),
    };

    int IFrameSource.WritePayload(FrameType state, Span<byte> payload)
    {
        switch (state)
        {
            case FrameType.Credit:
                Span<ulong> granted = stackalloc ulong[Limits.LaneClasses];
                _core.Pool.ReadGranted(_account!, granted);
                return CreditMessage.Write(granted, payload);
            case FrameType.Goodbye:
                return new GoodbyeMessage(Ended.Goodbye()!.Value, Ended == SessionEnd.Draining ? _core.DrainDelay() : Ended.RetryAfter()).Write(payload);
            case FrameType.Watermark:
                return WriteWatermarks(payload, all: false);
            default:
                return WriteWatermarks(payload, all: true);
        }
    }

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
        }

        Opener.Dispose();
        _sender.Dispose();
    }

    private int WriteWatermarks(Span<byte> payload, bool all)
    {
        // As many as there was room made for: a lane that came since then stays news.
        var room = (payload.Length - (all ? GatewayHeartbeatMessage.GetLength(0) : WatermarkMessage.GetLength(0))) / LaneWatermarkBytes;
        var watermarks = ArrayPool<LaneWatermark>.Shared.Rent(Math.Max(1, room));
        try
        {
            var count = Lanes.Write(watermarks.AsSpan(0, room), all);
            var now = _core.UnixMicroseconds();
            var agentClock = Volatile.Read(ref _agentClock);
            var echo = agentClock == 0 ? 0 : unchecked((ulong)(now + agentClock));
            return all ? GatewayHeartbeatMessage.Write((ulong)now, echo, watermarks.AsSpan(0, count), payload)
                : count == 0 ? -1
                : WatermarkMessage.Write(watermarks.AsSpan(0, count), payload);
        }
        finally
        {
            ArrayPool<LaneWatermark>.Shared.Return(watermarks);
        }
    }

    private static int LaneWatermarkBytes { get; } = WatermarkMessage.GetLength(1) - WatermarkMessage.GetLength(0);

    private void TellWatermarks(long now)
    {
        if (Lanes.HasNews && _heartbeat.MayTell(now))
        {
            _sender.Raise(FrameType.Watermark);
        }
    }

    /// <summary>
    /// The heartbeat carries the full state. What flow said may have been lost, so while something is not known to be committed the worker is asked first;
    /// the heartbeat goes out with or without its answer.
    /// </summary>
    private void BeginHeartbeat()
    {
        if (Lanes.HasUncommitted && Interlocked.Exchange(ref _asking, 1) == 0)
        {
            _ = AskAsync();
        }
        else
        {
            _sender.Raise(FrameType.GatewayHeartbeat);
        }
    }

    private async Task AskAsync()
    {
        try
        {
            var records = await _core.AskWatermarksAsync(Route.Partition, Route.AgentId).ConfigureAwait(false);
            if (records is not null)
            {
                foreach (var record in records)
                {
                    Lanes.Commit(record.Epoch, record.Lane, record.N);
                }
            }
        }
        catch (Exception fault)
        {
            // E.g. a queue connection that is being disposed. Nobody awaits this task, so the fault is told here; the next heartbeat asks again.
            _core.Metrics.Error("ask_watermarks");
            _core.Logger.AskFailed(Route.AgentId, fault);
        }
        finally
        {
            Volatile.Write(ref _asking, 0);
            _sender.Raise(FrameType.GatewayHeartbeat);
        }
    }
}
