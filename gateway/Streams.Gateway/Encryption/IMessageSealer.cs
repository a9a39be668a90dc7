using System.Net.WebSockets;
using Streams.Gateway.Connections;
using Streams.Wire.Frames;
using Streams.Wire.Messages;

namespace Streams.Gateway.Encryption;

/// <summary>
/// How the messages of one encoding are sealed. The payload of a frame stands in the buffer from <see cref="FrameHeader.Size"/> on, with room for the overhead of a
/// frame; a sealer that needs more puts a larger buffer in its place.
/// </summary>
internal interface IMessageSealer : IDisposable
{
    WebSocketMessageType Kind { get; }

    /// <summary>The next message must be the change of key.</summary>
    bool IsRekeyDue { get; }

    /// <returns>Bytes of the message, from the start of the buffer.</returns>
    int Seal(FrameType type, ref byte[] buffer, int payload, FrameBuffers buffers);

    /// <summary>Signs and seals a control message.</summary>
    int Seal(ControlMessage message, ref byte[] buffer, FrameBuffers buffers);

    /// <summary>Only when one is due.</summary>
    int SealRekey(ref byte[] buffer, FrameBuffers buffers);
}
