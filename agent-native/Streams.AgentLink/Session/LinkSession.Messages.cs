using Streams.Wire;
using Streams.Wire.Frames;
using Streams.Wire.Messages;

namespace Streams.AgentLink.Session;

/// <summary>Control messages of a session.</summary>
internal sealed partial class LinkSession
{
    private ReadOnlyMemory<byte> _token;

    /// <summary>What the gateway gave last. In this encoding nothing carries it: the session itself is the proof.</summary>
    internal ReadOnlyMemory<byte> Token => _token;

    /// <summary>Null, or what was wrong with the frame. A message that is refused is answered and ends nothing.</summary>
    private string? TakeMessage(ReadOnlySpan<byte> payload, in FrameHeader header)
    {
        var error = MessageFrame.TryRead(payload, in header, _keys.SessionId, _keys.Gateway.PublicKey, out var message);
        if (error == WireError.None)
        {
            error = _hooks.OnMessage?.Invoke(message!) ?? WireError.Unsupported;
        }

        if (error == WireError.None)
        {
            return null;
        }

        Tell($"message '{message?.Id}' of the gateway refused: {error.Label()}");
        if (_outbox.TryRefuse(new ErrorMessage(error, message?.Channel ?? 0, message?.Id ?? "", "")))
        {
            _signal.Set();
        }

        return null;
    }

    private string? NotTaken(ReadOnlySpan<byte> payload)
    {
        if (!ErrorMessage.TryRead(payload, out var error))
        {
            return "malformed error";
        }

        Tell($"the gateway did not take message '{error!.Id}': {error.Code.Label()}");
        _hooks.OnRefused?.Invoke(error);
        return null;
    }

    /// <summary>Control is strictly first: all that waits goes before the next data frame.</summary>
    private async ValueTask SendMessagesAsync()
    {
        while (_end is null && _outbox.TryTake(out var message, out var error))
        {
            if (error is not null)
            {
                await SendAsync(FrameType.Error, LaneClass.Control, error.Write(Payload)).ConfigureAwait(false);
            }
            else
            {
                await SendAsync(FrameType.Message, LaneClass.Control, Write(message!)).ConfigureAwait(false);
            }
        }
    }

    private int Write(ControlMessage message) => MessageFrame.Write(message, _identity, _keys.SessionId, _keys.Sealer.NameNext(), Payload);

    private void Tell(string detail) => _hooks.OnEvent?.Invoke(new LinkEvent(LinkEventKind.MessageRefused, detail));
}
