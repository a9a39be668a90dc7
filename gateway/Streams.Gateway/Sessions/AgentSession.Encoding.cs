using Streams.Gateway.Auth;
using Streams.Gateway.Credit;
using Streams.Gateway.Encryption;
using Streams.Wire;
using Streams.Wire.Frames;
using Streams.Wire.Json;
using Streams.Wire.Keys;
using Streams.Wire.Messages;

namespace Streams.Gateway.Sessions;

/// <summary>What the two encodings differ in, and the session token, which one of them shows in every message.</summary>
internal sealed partial class AgentSession
{
    /// <summary>A token is replaced after this much of its life.</summary>
    private const double RefreshAt = 0.75;

    private long _refreshToken;

    /// <summary>The session's encoding, for the envelope of everything that is said in it.</summary>
    public bool IsJson => _peer.Json;

    /// <summary>A token that is good from now on; empty in mode enrol, where there is nobody yet.</summary>
    public ReadOnlyMemory<byte> NewToken()
    {
        if (string.IsNullOrEmpty(_peer.AgentId))
        {
            return default;
        }

        _refreshToken = Environment.TickCount64 + (long)(_core.Tokens.Lifetime.TotalMilliseconds * RefreshAt);
        return _core.Tokens.Issue(_peer.Gateway, _peer.AgentId, _sessionId);
    }

    /// <summary>One error a message; the session's end, if it is one, follows behind it.</summary>
    public void Refused(WireError error, byte channel, string id, string field)
    {
        NoteRefused(error, id);
        var payload = new byte[ErrorMessage.MaxBytes];
        _sender.TrySend(FrameType.GatewayError, payload.AsMemory(0, new ErrorMessage(error, channel, id, field).Write(payload)));
    }

    private IMessageOpener CreateOpener(SessionKeys keys) => IsJson
        ? new JsonMessageOpener(
            new JsonOpener(keys, fromAgent: true, _peer.Key),
            new SessionTokenCheck(_core.Tokens, _core.Time, _peer.Gateway, _peer.AgentId, _sessionId),
            _peer.AgentId,
            _core.Metrics,
            this)
        : new BinaryOpener(new FrameOpener(keys, fromAgent: true), () => NoteForged(WireError.NotAuthentic.Label()));

    private IMessageSealer CreateSealer(SessionKeys keys) => IsJson
        ? new JsonMessageSealer(new JsonSealer(keys, _peer.Gateway, _core.Time), _peer.AgentId, _core.Time)
        : new BinarySealer(new FrameSealer(keys, _core.Time), _peer.Gateway, _sessionId);

    /// <summary>
    /// The token before stays good until it expires, so nothing has to wait for the new one. Not while the queue is away: then nobody would hear that the agent
    /// was revoked.
    /// </summary>
    private void RefreshToken(long now)
    {
        if (_refreshToken == 0 || now < _refreshToken || _core.Pool.IsSuspended(CreditStop.QueueAway))
        {
            return;
        }

        var before = _refreshToken;
        var token = NewToken();
        var payload = new byte[TokenMessage.MaxBytes];
        if (!_sender.TrySend(FrameType.Token, payload.AsMemory(0, TokenMessage.Write(token.Span, payload))))
        {
            // No room behind a slow reader: the wheel's next look makes another.
            _refreshToken = before;
        }
    }
}
