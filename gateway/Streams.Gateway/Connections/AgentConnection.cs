using System.Net.WebSockets;
using Microsoft.Extensions.Logging;
using Streams.Gateway.Auth;
using Streams.Gateway.Channels;
using Streams.Gateway.Heartbeat;
using Streams.Gateway.Sessions;
using Streams.Wire;
using Streams.Wire.Frames;
using Streams.Wire.Handshake;

namespace Streams.Gateway.Connections;

/// <summary>
/// One WebSocket of an agent, from the upgrade to its close: the handshake, then the receive loop. Frames that are not data are handled in this loop, outside the
/// data graphs, so that a stalled queue never silences a session.
/// </summary>
internal sealed class AgentConnection : IWheelMember
{
    /// <summary>How long a peer may take to answer our close.</summary>
    private const long CloseMilliseconds = 3000;

    private readonly GatewayCore _core;
    private readonly WebSocket _socket;
    private readonly FrameReceiver _receiver;
    private readonly HandshakeSocket _handshake;
    private readonly bool _json;
    private readonly string _remote;
    private AgentSession? _session;
    private Admission? _admission;
    private long _deadline;
    private int _refusing;

    public AgentConnection(GatewayCore core, WebSocket socket, string remote, bool json)
    {
        _core = core;
        _socket = socket;
        _remote = remote;
        _json = json;
        _receiver = new FrameReceiver(socket, core.Buffers, json);
        _handshake = new HandshakeSocket(socket, core.Buffers, core.Time, json);
        SetDeadline(Limits.HandshakeSeconds * 1000L);
    }

    int IWheelMember.WheelIndex { get; set; }

    /// <summary>Runs the connection to its end.</summary>
    /// <param name="context">What the upgrade said.</param>
    /// <param name="admission">Its place among the handshakes is given back when this one is over, at its deadline at the latest.</param>
    public async Task RunAsync(HandshakeContext context, Admission admission)
    {
        _admission = admission;
        _core.Wheel.Add(this);
        try
        {
            bool begun;
            try
            {
                begun = await HandshakeAsync(context).ConfigureAwait(false);
            }
            finally
            {
                admission.Handshake?.Leave();
            }

            if (begun)
            {
                if (!_session!.IsEnrolling)
                {
                    admission.Connection.Leave();
                }

                await ReceiveAsync(_session).ConfigureAwait(false);
            }

            // A session's agent may have sent what it had credit for; who never had a session gets no more than a handshake's bytes.
            if (!await _receiver.DiscardAsync(begun ? long.MaxValue : Limits.MaxHandshakeMessageBytes).ConfigureAwait(false))
            {
                _socket.Abort();
            }
        }
        finally
        {
            if (_session is not null)
            {
                await _session.CloseAsync().ConfigureAwait(false);
                if (_session.HasBegun)
                {
                    _core.Logger.SessionEnded(
                        _session.Ended.IsOrdinary() ? LogLevel.Debug : LogLevel.Information, _session.Route.AgentId, _session.Id, _session.Ended.Label());
                }
                else if (_session.IsEnrolling)
                {
                    _core.EnrolmentEnded(SourcePrefix.Of(_remote));
                    _core.StrangerLog.Line()?.EnrolmentEnded(_session.Id, _session.Ended.Label());
                }
            }

            _core.Wheel.Remove(this);
            _socket.Dispose();
        }
    }

    void IWheelMember.Tick(long now)
    {
        var deadline = Volatile.Read(ref _deadline);
        if (deadline != 0)
        {
            if (now >= deadline)
            {
                HandshakeTimedOut();
            }
        }
        else if (_session is { } session)
        {
            Watch(session, now);
        }
    }

    private void Watch(AgentSession session, long now)
    {
        if (session.Ended != SessionEnd.None)
        {
            if (now - session.EndedAt > CloseMilliseconds)
            {
                _socket.Abort();
            }
        }
        else if (IsSlow(_receiver.FrameStarted, now) || IsSlow(session.SendStarted, now))
        {
            session.End(SessionEnd.Slow);
            _socket.Abort();
        }
        else
        {
            session.Tick(now);
        }
    }

    private bool IsSlow(long started, long now) => started != 0 && now - started > (long)_core.Options.FrameTime.TotalMilliseconds;

    private async Task<bool> HandshakeAsync(HandshakeContext context)
    {
        var started = Environment.TickCount64;
        var driver = new HandshakeDriver(_core, _handshake, _receiver, _remote);
        var (reason, keys) = await driver.AuthenticateAsync(context).ConfigureAwait(false);
        if (reason != RefusalReason.None)
        {
            await RefuseAsync(reason, driver).ConfigureAwait(false);
            return false;
        }

        if (Volatile.Read(ref _refusing) != 0)
        {
            keys!.Dispose();
            return false;
        }

        // Set before the deadline moves on, so that the wheel always has somebody to end.
        var session = new AgentSession(_core, _socket, keys!, new SessionPeer(driver.AgentKey, _remote, driver.Gateway, driver.AgentId, _json));
        _session = session;
        SetDeadline((Limits.HandshakeSeconds * 1000L) + (long)_core.Options.WatermarkTimeout.TotalMilliseconds);
        var (unconfirmed, end) = await driver.ConfirmAsync(session).ConfigureAwait(false);
        Volatile.Write(ref _deadline, 0);
        var timedOut = Volatile.Read(ref _refusing) != 0;
        if (unconfirmed != RefusalReason.None || (timedOut && end != SessionEnd.None))
        {
            session.End(unconfirmed == RefusalReason.Disconnected ? SessionEnd.Disconnected : SessionEnd.Protocol);
            Count(timedOut ? RefusalReason.TimedOut : unconfirmed, driver.AgentId);
            return false;
        }

        if (end != SessionEnd.None)
        {
            session.End(end);
            _core.Metrics.Refused(driver.Unavailable);
            _core.StrangerLog.Line()?.SessionUnavailable(driver.AgentId, _remote);
            if (driver.Unavailable != nameof(SessionEnd.Unavailable))
            {
                _core.Records.Refused(driver.Unavailable, _remote);
            }

            return false;
        }

        if (session.IsEnrolling)
        {
            _core.StrangerLog.Line()?.EnrolmentBegan(session.Id, _remote);
            return true;
        }

        _core.Logger.SessionBegan(session.Route.AgentId, session.Id, session.Route.Generation, _remote, Environment.TickCount64 - started);
        return true;
    }

    private async Task ReceiveAsync(AgentSession session)
    {
        if (!session.IsEnrolling)
        {
            session.Rate = _core.Rates.Of(session.Route.AgentId, Environment.TickCount64);
        }

        while (session.Ended == SessionEnd.None)
        {
            var message = await _receiver.ReceiveAsync(session).ConfigureAwait(false);
            if (message.Receipt == Receipt.Frame)
            {
                session.End(session.Rate.Receive(message.Length, Environment.TickCount64));
                // Every envelope is signed.
                session.End(_json ? session.Rate.CheckSignature(Environment.TickCount64) : SessionEnd.None);
            }

            switch (message.Receipt)
            {
                case Receipt.Frame when message.Type == FrameType.Data:
                    session.Post(in message);
                    break;
                case Receipt.Frame:
                    session.End(Control(session, in message));
                    break;
                case Receipt.Closed:
                    session.End(SessionEnds.OfClose((int?)_socket.CloseStatus));
                    break;
                case Receipt.CreditExceeded:
                    // A session that ended meanwhile has no credit, and its own reason.
                    session.End(SessionEnd.CreditExceeded);
                    break;
                default:
                    if (message.Error != WireError.None)
                    {
                        session.Refused(message.Error, 0, message.Id, message.Field);
                    }

                    session.End(SessionEnd.Protocol);
                    break;
            }
        }
    }

    private SessionEnd Control(AgentSession session, in ReceivedMessage message)
    {
        try
        {
            var error = session.Opener.Open(in message, out var opened);
            if (error != FrameError.None)
            {
                _core.Metrics.Error(error.ToString());
                return SessionEnd.Protocol;
            }

            _core.Metrics.Control("received", message.Type);
            return FrameTable.Handle(session, in opened);
        }
        finally
        {
            _core.Buffers.Return(message.Buffer);
        }
    }

    /// <summary>The same bytes, the same close code and the same time for every reason; the reason is logged and counted here only.</summary>
    private async Task RefuseAsync(RefusalReason reason, HandshakeDriver driver)
    {
        if (Interlocked.Exchange(ref _refusing, 1) != 0)
        {
            // The deadline came first, and has said goodbye and counted.
            return;
        }

        Count(reason, driver.AgentId);
        if (reason != RefusalReason.Disconnected)
        {
            await driver.RefusalTime().ConfigureAwait(false);
            await SendRefusalAsync().ConfigureAwait(false);
        }

        SetDeadline(CloseMilliseconds);
    }

    private void HandshakeTimedOut()
    {
        // Not when the peer is gone: one that says nothing holds its connection for the time of a close, but nobody else's place.
        _admission?.Handshake?.Leave();
        if (_session is { } session)
        {
            // M2 was good, `ready` did not come.
            Interlocked.Exchange(ref _refusing, 1);
            session.End(SessionEnd.Protocol);
            _socket.Abort();
        }
        else if (Interlocked.Exchange(ref _refusing, 1) == 0)
        {
            Count(RefusalReason.TimedOut, "");
            SetDeadline(CloseMilliseconds);
            _ = SendRefusalAsync();
        }
        else
        {
            _socket.Abort();
        }
    }

    private async Task SendRefusalAsync()
    {
        try
        {
            await _handshake.TrySendAsync(RefusalMessage.Bytes.ToArray(), MessageType.Event, "").ConfigureAwait(false);
            await _socket.CloseOutputAsync((WebSocketCloseStatus)CloseCode.Refused, null, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception error) when (SocketFault.IsGone(error))
        {
            _socket.Abort();
        }
    }

    private void Count(RefusalReason reason, string agentId)
    {
        _core.Metrics.Refused(reason);
        _core.StrangerLog.Line()?.HandshakeRefused(reason, agentId, _remote);
        _core.Records.Refused(reason, agentId, _remote);
    }

    private void SetDeadline(long milliseconds) => Volatile.Write(ref _deadline, Environment.TickCount64 + milliseconds);
}
