using System.Net.WebSockets;
using Streams.Gateway.Connections;
using Streams.Wire;
using Streams.Wire.Frames;
using Streams.Wire.Handshake;
using Streams.Wire.Messages;

namespace Streams.Gateway.Encryption;

/// <summary>Frames of <c>streams.v1.bin</c>, in place.</summary>
internal sealed class BinarySealer(FrameSealer sealer, GatewayIdentity identity, ReadOnlyMemory<byte> sessionId) : IMessageSealer
{
    public WebSocketMessageType Kind => WebSocketMessageType.Binary;

    /// <summary>A frame's header says it.</summary>
    public bool IsRekeyDue => false;

    public int Seal(FrameType type, ref byte[] buffer, int payload, FrameBuffers buffers) => sealer.Seal(type, LaneClass.Control, buffer, payload);

    public int Seal(ControlMessage message, ref byte[] buffer, FrameBuffers buffers)
    {
        var length = MessageFrame.Write(message, identity, sessionId.Span, sealer.NameNext(), buffer.AsSpan(FrameHeader.Size));
        return sealer.Seal(FrameType.GatewayMessage, LaneClass.Control, buffer, length);
    }

    public int SealRekey(ref byte[] buffer, FrameBuffers buffers) => throw new NotSupportedException("a frame's header says it");

    public void Dispose() => sealer.Dispose();
}
