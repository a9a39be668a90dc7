using System.Buffers;
using System.Globalization;
using System.Net.WebSockets;
using Streams.Gateway.Connections;
using Streams.Wire;
using Streams.Wire.Frames;
using Streams.Wire.Json;
using Streams.Wire.Messages;

namespace Streams.Gateway.Encryption;

/// <summary>Envelopes of <c>streams.v1.json</c>. Their ids count the messages of the session; their token is empty: a token is the agent's to show.</summary>
internal sealed class JsonMessageSealer(JsonSealer sealer, string agentId, TimeProvider time) : IMessageSealer
{
    private ulong _sent;

    public WebSocketMessageType Kind => WebSocketMessageType.Text;

    public bool IsRekeyDue => sealer.IsRekeyDue;

    public int Seal(FrameType type, ref byte[] buffer, int payload, FrameBuffers buffers)
    {
        var content = new ArrayBufferWriter<byte>(Math.Max(256, 4 * payload));
        GatewayContent.Write(type, buffer.AsSpan(FrameHeader.Size, payload), content);
        return Seal(Head(NextId(), MessageType.Event, ChannelOf(type), Now()), content.WrittenSpan, ref buffer, buffers);
    }

    public int Seal(ControlMessage message, ref byte[] buffer, FrameBuffers buffers) =>
        Seal(Head(message.Id, message.Type, message.Channel, message.Timestamp), message.Payload.Span, ref buffer, buffers);

    public int SealRekey(ref byte[] buffer, FrameBuffers buffers)
    {
        Enlarge(ref buffer, JsonSealer.MaxRekeyBytes, buffers);
        return sealer.SealRekey(Head(NextId(), MessageType.Event, Wire.Channels.FlowRekey, Now()), buffer);
    }

    public void Dispose() => sealer.Dispose();

    private int Seal(in EnvelopeHead head, ReadOnlySpan<byte> content, ref byte[] buffer, FrameBuffers buffers)
    {
        Enlarge(ref buffer, JsonSealer.GetMaxLength(content.Length, 0), buffers);
        return sealer.Seal(in head, content, buffer);
    }

    private static void Enlarge(ref byte[] buffer, int bytes, FrameBuffers buffers)
    {
        if (buffer.Length < bytes)
        {
            buffers.Return(buffer);
            buffer = buffers.Rent(bytes);
        }
    }

    private EnvelopeHead Head(string id, MessageType type, byte number, ulong timestamp)
    {
        var channel = Wire.Channels.Find(number)!;
        return new EnvelopeHead(id, type, channel.Name, timestamp, agentId, channel.Module);
    }

    private string NextId() => string.Create(CultureInfo.InvariantCulture, $"g{_sent++}");

    private ulong Now() => (ulong)((time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond);

    private static byte ChannelOf(FrameType type) => type switch
    {
        FrameType.Session => Wire.Channels.Auth,
        FrameType.Credit => Wire.Channels.FlowCredit,
        FrameType.Watermark => Wire.Channels.FlowWatermark,
        FrameType.Rewind => Wire.Channels.FlowRewind,
        FrameType.Hold => Wire.Channels.FlowHold,
        FrameType.Token => Wire.Channels.FlowToken,
        FrameType.GatewayHeartbeat => Wire.Channels.Heartbeat,
        _ => Wire.Channels.FlowError,
    };
}
