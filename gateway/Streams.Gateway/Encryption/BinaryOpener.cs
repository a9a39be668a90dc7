using Streams.Gateway.Connections;
using Streams.Gateway.Ingest;
using Streams.Wire.Frames;

namespace Streams.Gateway.Encryption;

/// <summary>Frames of <c>streams.v1.bin</c>.</summary>
/// <param name="forged">Called for a frame that the session's key does not open.</param>
internal sealed class BinaryOpener(FrameOpener opener, Action? forged = null) : IMessageOpener
{
    public FrameError OpenData(IngestFrame frame)
    {
        var error = Note(opener.TryOpen(frame.Frame, out var header, out var plaintext));
        frame.PlaintextAt(FrameHeader.Size, plaintext.Length);
        return error == FrameError.None && header.Type != FrameType.Data ? FrameError.UnexpectedType : error;
    }

    public FrameError Open(in ReceivedMessage message, out OpenedMessage opened)
    {
        var error = Note(opener.TryOpen(message.Bytes, out var header, out var plaintext));
        opened = new OpenedMessage { Type = header.Type, Header = header, Payload = plaintext };
        return error;
    }

    public void Dispose() => opener.Dispose();

    private FrameError Note(FrameError error)
    {
        if (error == FrameError.NotAuthentic)
        {
            forged?.Invoke();
        }

        return error;
    }
}
