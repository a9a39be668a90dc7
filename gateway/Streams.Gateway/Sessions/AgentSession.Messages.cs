using Streams.Gateway.Channels;
using Streams.Gateway.Connections;
using Streams.Gateway.Encryption;
using Streams.Wire;
using Streams.Wire.Frames;
using Streams.Wire.Messages;

namespace Streams.Gateway.Sessions;

/// <summary>Control messages: taken from the agent, sent to it, and refused. Data never come here.</summary>
internal sealed partial class AgentSession
{
    private MessageBudget _budget;

    /// <summary>What the agent may cost a second, over all its sessions; until it is known who it is, a measure of this session's own.</summary>
    public AgentRate Rate { get; set; }

    /// <summary>The key that the handshake proved: the agent's messages are verified with it.</summary>
    public ReadOnlyMemory<byte> AgentKey => _peer.Key;

    /// <summary>Where the agent connects from.</summary>
    public string Remote => _peer.Remote;

    /// <summary>A session of mode enrol: nobody yet, with the channel agent.registry and nothing else, for a few seconds.</summary>
    public bool IsEnrolling { get; private set; }

    /// <summary>
    /// Queues a message to the agent, signed where it is sent. False when the session has ended or too many wait: then it will not be sent. True is not delivery:
    /// what must arrive is answered, and asked for again in a later session.
    /// </summary>
    public bool TrySend(ControlMessage message)
    {
        var error = Wire.Channels.CheckMessage(Wire.Channels.Find(message.Channel), ChannelDirection.GatewayToAgent, message.Module, message.Type);
        if (error != WireError.None || message.Payload.Length > MessageFrame.MaxPayloadBytes || !MessageId.IsValid(message.Id))
        {
            throw new ArgumentException($"not a message for an agent: {error.Label()}", nameof(message));
        }

        return Ended == SessionEnd.None && _sender.TrySend(message);
    }

    /// <summary>An opened control message of the agent. None when the session goes on.</summary>
    public SessionEnd TakeMessage(in OpenedMessage opened)
    {
        var now = Environment.TickCount64;
        if (!_budget.TryTake(now))
        {
            return Refuse(WireError.RateLimited, null, now);
        }

        // An envelope's was counted when it came.
        if (opened.Message is null && Rate.CheckSignature(now) is not SessionEnd.None and var end)
        {
            return end;
        }

        var error = Read(in opened, out var message);
        if (error == WireError.None)
        {
            error = IsEnrolling && message!.Channel != Wire.Channels.Registry ? WireError.NotAllowed : _core.Messages.Take(this, message!);
        }

        if (error == WireError.None)
        {
            _core.Metrics.MessageTaken(Wire.Channels.Find(message!.Channel)!.Name);
            return SessionEnd.None;
        }

        return Refuse(error, message, now);
    }

    /// <summary>An envelope's signature was verified when it was opened; in a frame the message has one of its own.</summary>
    private WireError Read(in OpenedMessage opened, out ControlMessage? message)
    {
        if (opened.Message is { } signed)
        {
            message = signed;
            return Wire.Channels.CheckMessage(Wire.Channels.Find(signed.Channel), ChannelDirection.AgentToGateway, signed.Module, signed.Type);
        }

        _core.Metrics.SignatureChecked("session");
        var header = opened.Header;
        return MessageFrame.TryRead(opened.Payload, in header, _sessionId, _peer.Key.Span, out message);
    }

    /// <summary>The agent did not take what it was sent. Out of the same budget as its messages; an error is never answered with one.</summary>
    public SessionEnd NotTaken(ErrorMessage error)
    {
        var now = Environment.TickCount64;
        _core.Metrics.MessageRefused("agent", error.Code);
        if (!_budget.TryTake(now))
        {
            return _budget.TryRefuse(now) ? SessionEnd.None : SessionEnd.Protocol;
        }

        _core.SessionLog.Line()?.MessageNotTaken(Name, Id, error.Code.Label(), error.Id);
        _core.Messages.NotTaken(this, error);
        return SessionEnd.None;
    }

    /// <summary>Says no to a message, which the agent may repeat in another form: only too many of them end the session.</summary>
    private SessionEnd Refuse(WireError error, ControlMessage? message, long now)
    {
        NoteRefused(error, message?.Id ?? "");
        if (!_budget.TryRefuse(now))
        {
            return SessionEnd.Protocol;
        }

        var payload = new byte[ErrorMessage.MaxBytes];
        var length = new ErrorMessage(error, message?.Channel ?? 0, message?.Id ?? "", "").Write(payload);
        _sender.TrySend(FrameType.GatewayError, payload.AsMemory(0, length));
        return SessionEnd.None;
    }

    private void NoteRefused(WireError error, string id)
    {
        _core.Metrics.MessageRefused("gateway", error);
        _core.SessionLog.Line()?.MessageRefused(Name, Id, error.Label(), id);
        if (error is WireError.BadSignature or WireError.NotAuthentic or WireError.BadNonce or WireError.BadToken or WireError.BadAgent)
        {
            NoteForged(error.Label());
        }
    }

    /// <summary>Something in the session was not of who had proved to be its peer: a row, as of a handshake that is refused.</summary>
    private void NoteForged(string reason) => _core.Records.RefusedWithin(reason, _peer.AgentId, _peer.Remote);

    private string Name => _route?.AgentId ?? "";
}
