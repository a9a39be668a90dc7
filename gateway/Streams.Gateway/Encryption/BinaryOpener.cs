using Streams.Gateway.Connections;
using Streams.Gateway.Ingest;
using Streams.Wire.Frames;

namespace Streams.Gateway.Encryption;

/// <summary>Frames of <c>streams.v1.bin</c>.</summary>
internal sealed class BinaryOpener(FrameOpener opener) : IMessageOpener
{
    public FrameError OpenData(IngestFrame frame)
    {
        var error = opener.TryOpen(frame.Frame, out var header, out var plaintext);
        frame.PlaintextAt(FrameHeader.Size, plaintext.Length);
        return error == FrameError.None && header.Type != FrameType.Data ? FrameError.UnexpectedType : error;
    }

    public FrameError Open(in ReceivedMessage message, out OpenedMessage opened)
    {
        var error = opener.TryOpen(message.Bytes, out var header, out var plaintext);
        opened = new OpenedMessage { Type = header.Type, Header = header, Payload = plaintext };
        return error;
    }

    public void Dispose() => opener.Dispose();
}
