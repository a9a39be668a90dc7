using System.Text;
using Streams.Gateway.Auth;
using Streams.Gateway.Connections;
using Streams.Gateway.Ingest;
using Streams.Wire;
using Streams.Wire.Frames;
using Streams.Wire.Json;
using Streams.Wire.Messages;

namespace Streams.Gateway.Encryption;

/// <summary>
/// Envelopes of <c>streams.v1.json</c>: opened, verified and held against their session (agent, token), then turned into what a frame of the same meaning has
/// in <c>streams.v1.bin</c>. Whatever is wrong ends the session, after the agent was told which field it is.
/// </summary>
internal sealed class JsonMessageOpener(JsonOpener opener, SessionTokenCheck tokens, string agentId, GatewayMetrics metrics, IRefusalSink refusals)
    : IMessageOpener
{
    private readonly byte[] _agentId = Encoding.ASCII.GetBytes(agentId);

    public FrameError OpenData(IngestFrame frame)
    {
        var envelope = frame.Envelope!;
        var error = Open(frame.Frame, envelope, out var content);
        if (error == FrameError.None)
        {
            // The content stands at the end of the plaintext, which begins where the payload did.
            frame.PlaintextAt(envelope.Payload.Start + JsonOpener.SaltBytes, content.Length);
        }

        return error;
    }

    public FrameError Open(in ReceivedMessage message, out OpenedMessage opened)
    {
        opened = default;
        var envelope = message.Envelope!;
        var error = Open(message.Bytes, envelope, out var content);
        if (error != FrameError.None || envelope.IsRekey)
        {
            return error;
        }

        if (message.Type == FrameType.Message)
        {
            opened = new OpenedMessage { Type = message.Type, Message = ToMessage(message.Bytes, envelope, content) };
            return FrameError.None;
        }

        var payload = new byte[message.Type == FrameType.Heartbeat ? AgentContent.MaxPayloadBytes : ReadyMessage.MaxBytes];
        var refused = AgentContent.TryRead(message.Type, content, payload, out var length, out var field);
        if (refused != WireError.None)
        {
            return Refuse(refused, envelope, message.Bytes, field);
        }

        opened = new OpenedMessage { Type = message.Type, Payload = payload.AsSpan(0, length) };
        return FrameError.None;
    }

    public void Dispose() => opener.Dispose();

    private static ControlMessage ToMessage(ReadOnlySpan<byte> text, Envelope envelope, ReadOnlySpan<byte> content) => new(
        envelope.Type, envelope.Channel.Number, envelope.IdText(text), envelope.Channel.Module, envelope.Timestamp, content.ToArray());

    private FrameError Open(Span<byte> text, Envelope envelope, out Span<byte> content)
    {
        metrics.SignatureChecked("session");
        var error = opener.TryOpen(text, envelope, out content, out var field);
        if (error == WireError.NotAllowed)
        {
            // Behind one that was refused: that was told and counted.
            return FrameError.Closed;
        }

        if (error == WireError.None && !envelope.AgentId.Of(text).SequenceEqual(_agentId))
        {
            (error, field) = (WireError.BadAgent, "headers.agent_id");
        }

        if (error == WireError.None && !tokens.IsGood(envelope.Token.Of(text)))
        {
            (error, field) = (WireError.BadToken, "headers.session_token");
        }

        return error == WireError.None ? FrameError.None : Refuse(error, envelope, text, field);
    }

    private FrameError Refuse(WireError error, Envelope envelope, ReadOnlySpan<byte> text, string field)
    {
        // Nothing behind it is taken, also not what has come already.
        opener.Dispose();
        refusals.Refused(error, envelope.Channel.Number, envelope.IdText(text), field);
        return error switch
        {
            WireError.BadNonce => FrameError.BadCounter,
            WireError.NotAuthentic => FrameError.NotAuthentic,
            _ => FrameError.Refused,
        };
    }
}
